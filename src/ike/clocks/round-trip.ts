// How long the way to the peer and back takes, from exchanges in which there is no doubt what was answered.
import type { OutstandingRequest } from '../exchanges/exchange.ts';
import type { IkeSaState } from '../ike-sa-state.ts';

/** Milliseconds. */
export interface RoundTrip {
  /** The truest: the path may be another one since. */
  readonly newestMs: number;
  readonly smoothedMs: number;
  /** How far from that one usually is. */
  readonly deviationMs: number;
}

/** Our request was answered. One that was sent twice tells nothing: either sending may be the one that was answered. */
export function measureRequest(
  state: IkeSaState,
  request: Pick<OutstandingRequest, 'attempt' | 'firstSentAt' | 'sentAt'> | undefined,
): void {
  // A move gives back the tries, and its own request is sent twice without spending one.
  if (request === undefined || request.attempt > 0 || request.sentAt !== request.firstSentAt) return;
  measured(state, state.at - request.firstSentAt);
}

/** Responder: IKE_AUTH came. Our first answer was the question to it, unless that was asked for twice. */
export function measureFirstAnswer(state: IkeSaState): void {
  if (state.firstAnswersAgain === 0) measured(state, state.at - state.createdAt);
}

function measured(state: IkeSaState, ms: number): void {
  const { roundTrip } = state;
  if (roundTrip !== undefined && state.establishedAt !== undefined) {
    // RFC 6298 2.3
    const deviationMs = 0.75 * roundTrip.deviationMs + 0.25 * Math.abs(roundTrip.smoothedMs - ms);
    state.roundTrip = { newestMs: ms, smoothedMs: 0.875 * roundTrip.smoothedMs + 0.125 * ms, deviationMs };
    return;
  }
  // Signatures, certificates and people take their time while an IKE SA begins.
  const least = Math.min(ms, roundTrip?.newestMs ?? ms);
  // RFC 6298 2.2
  state.roundTrip = { newestMs: least, smoothedMs: least, deviationMs: least / 2 };
}

/**
 * RFC 6298 2: an answer that takes longer than this is late. One quick answer says little of a path on which others are slow, and
 * many that are alike do not make it worth while to be impatient. In whole milliseconds, as deadlines are.
 */
export function answerWithinMs({ newestMs, smoothedMs, deviationMs }: RoundTrip): number {
  const usualMs = Math.max(newestMs, smoothedMs);
  return Math.ceil(usualMs + Math.max(2 * usualMs, 4 * deviationMs));
}
