// What is known of the traffic with a peer: when something went out, when something came in.
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';

const silenceMsMin = 250;
/** RFC 6298 2.1: before anything is known. */
const firstAnswerWithinMs = 1_000;

type RoundTripKnown = Pick<IkeEntry['sa'], 'roundTripMs' | 'answerWithinMs'>;

/** What is known of the path to the peer of one IKE SA. */
export interface PathKnowledge {
  /** When protected traffic last came in. */
  heardAt: number;
  /** When traffic last went out. */
  outboundAt: number;
  /** The first of the packets that had no answer since. */
  unansweredSince: number;
}

/** What is known of the path of an IKE SA, to be added to. */
export function pathOf(state: EngineState, ikeId: number): PathKnowledge {
  const known = state.recovery.paths.get(ikeId);
  if (known !== undefined) return known;
  const path = { heardAt: 0, outboundAt: Number.NEGATIVE_INFINITY, unansweredSince: 0 };
  state.recovery.paths.set(ikeId, path);
  return path;
}

/** Nothing under protection came in lately: the peer may have lost the IKE SA. Counters are told a few times a second. */
export function isSilent(state: EngineState, { ikeId, sa }: IkeEntry): boolean {
  const { heardAt } = pathOf(state, ikeId);
  return state.at - Math.max(heardAt, sa.lastInboundAt) >= silenceMsFor(sa);
}

/** The peer cannot be blamed for silence, nor asked, before the IKE SA has moved to another address (RFC 4555 3.5). */
export function waitsToMove({ lostAddresses }: EngineState, { sa }: IkeEntry): boolean {
  return sa.mobility !== undefined && lostAddresses.has(sa.local.address);
}

/** How long without a sign of life is longer than an answer to anything can take: a round trip more than it should. */
export function silenceMsFor(known: RoundTripKnown): number {
  return Math.max(silenceMsMin, answerWithin(known) + (known.roundTripMs ?? 0));
}

/** An answer that takes longer than so many milliseconds is late. */
export function answerWithin({ answerWithinMs }: RoundTripKnown): number {
  return answerWithinMs ?? firstAnswerWithinMs;
}
