// Rung 4 begins here: our traffic goes out, and nothing comes back (RFC 7296 2.4).
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import type { TrafficNote } from '../interface.ts';
import { attemptInParallel } from './parallel-attempt.ts';
import { answerWithin, type PathKnowledge, pathOf, silenceMsFor, waitsToMove } from './path-knowledge.ts';

/** Nothing in either direction for this long: it is not silence, only idleness. */
const idleMs = 2_000;
/** Packets of one flow are no further apart. */
const flowGapMs = 500;
const patienceMsMin = 150;

/** How long our traffic has gone unanswered, as far as this note tells. */
function unansweredMs(path: PathKnowledge, note: TrafficNote, heardOnIkeAt: number): number {
  path.heardAt = Math.max(path.heardAt, note.lastInboundAt ?? 0, heardOnIkeAt);
  const { lastOutboundAt } = note;
  if (lastOutboundAt === undefined) return 0;
  // In a steady flow the first packet without an answer followed right on the last one that had one.
  const flowing = lastOutboundAt - path.outboundAt < flowGapMs;
  path.outboundAt = lastOutboundAt;
  if (path.heardAt >= path.unansweredSince) path.unansweredSince = flowing ? path.heardAt : lastOutboundAt;
  return path.heardAt >= lastOutboundAt ? 0 : lastOutboundAt - path.unansweredSince;
}

/** The data plane told when it last used the two SAs of a pair. */
export function watchForSilence(state: EngineState, entry: IkeEntry, note: TrafficNote): void {
  const path = pathOf(state, entry.ikeId);
  const rttMs = entry.sa.roundTripMs ?? 0;
  const unanswered = unansweredMs(path, note, entry.sa.lastInboundAt);
  if (unanswered < silenceMsFor(entry.sa) || waitsToMove(state, entry)) return;
  if (!state.unknownSpi.parallelAttempts || state.at - path.outboundAt > idleMs) return;
  const { sa, ikeId } = entry;
  if (sa.phase !== 'established' || entry.successorOfSilence !== undefined) return;
  if (sa.outstanding.length === 0) {
    // Traffic may well flow one way only: who asks too often learns nothing new.
    if (!state.recovery.silenceChecks.take(String(ikeId), state.at)) return;
    const known =
      entry.sa.roundTripMs === undefined
        ? 'a round trip of unknown length'
        : `a round trip takes ${Math.round(rttMs)} ms`;
    state.rung(
      sa.connection.name,
      'silence',
      'checking',
      `no answer to our traffic for ${Math.round(unanswered)} ms (${known}): the peer is asked whether it lives`,
      sa.children.filter(({ outboundInUse }) => outboundInUse).map(({ outboundSpi }) => outboundSpi),
    );
    const command = { kind: 'check-liveness' as const, reason: 'our traffic is not answered' };
    sa.handle({ kind: 'command', at: state.at, command });
    state.touch(entry);
  }
  const patienceMs = Math.max(patienceMsMin, answerWithin(sa));
  if (state.deadlines.at(`silence ${ikeId}`) === undefined) {
    state.deadlines.set(`silence ${ikeId}`, state.at + patienceMs);
  }
}

/** The liveness check has had its round trips. */
export function silenceLasted(state: EngineState, entry: IkeEntry): void {
  const { sa } = entry;
  if (sa.outstanding.length === 0 || sa.phase !== 'established') return;
  attemptInParallel(
    state,
    entry,
    'traffic goes out, nothing comes back, and a liveness check is not answered',
  );
}
