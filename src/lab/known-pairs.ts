// Which pairs of SAs an engine believes in, whoever keyed them.
import type { Engine, EngineStatus } from '#engine';

/** What an engine says of a pair of SAs. */
export interface KnownPair {
  readonly childId: number;
  readonly inboundSpi: number;
  readonly outboundSpi: number;
}

function pairsOfHip(association: EngineStatus['hip'][number]): KnownPair[] {
  const { childId, inboundSpi, outboundSpi, otherPairs = [] } = association;
  if (childId === undefined || inboundSpi === undefined || outboundSpi === undefined) return [];
  return [{ inboundSpi, outboundSpi }, ...otherPairs].map((pair) => ({ childId, ...pair }));
}

/** Child SAs, and those of HIP associations. */
export function knownPairs(engine: Engine): readonly KnownPair[] {
  return [...engine.childSas(), ...engine.status().hip.flatMap(pairsOfHip)];
}
