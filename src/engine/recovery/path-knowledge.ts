// What is known of the path to a peer: how long a round trip takes, when something went out, when something came in.
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sa-registry.ts';

const silenceMsMin = 250;
const silenceRoundTrips = 4;

/** What is known of the path to the peer of one IKE SA. */
export interface PathKnowledge {
  /** Of the last liveness check; 0: none was needed yet. */
  rttMs: number;
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
  const path = { rttMs: 0, heardAt: 0, outboundAt: Number.NEGATIVE_INFINITY, unansweredSince: 0 };
  state.recovery.paths.set(ikeId, path);
  return path;
}

/** Nothing under protection came in lately: the peer may have lost the IKE SA. Counters are told a few times a second. */
export function isSilent(state: EngineState, { ikeId, sa }: IkeEntry): boolean {
  const { heardAt, rttMs } = pathOf(state, ikeId);
  return state.at - Math.max(heardAt, sa.lastInboundAt) >= silenceMsFor(rttMs);
}

/** How long without a sign of life is more than a few round trips. */
export function silenceMsFor(rttMs: number): number {
  return Math.max(silenceMsMin, silenceRoundTrips * rttMs);
}
