// How long the way to the peer and back takes, from exchanges in which there is no doubt what was answered.
import type { OutstandingRequest } from './exchanges/exchange.ts';
import type { IkeSaState } from './ike-sa-state.ts';

/** Our request was answered. One that was sent twice tells nothing: either sending may be the one that was answered. */
export function measureRequest(
  state: IkeSaState,
  request: Pick<OutstandingRequest, 'attempt' | 'firstSentAt'> | undefined,
): void {
  if (request === undefined || request.attempt > 0) return;
  measured(state, state.at - request.firstSentAt);
}

/** Responder: IKE_AUTH came. Our first answer was the question to it, unless that was asked for twice. */
export function measureFirstAnswer(state: IkeSaState): void {
  if (!state.firstAnswerRepeated) measured(state, state.at - state.createdAt);
}

function measured(state: IkeSaState, ms: number): void {
  // Signatures, certificates and people take their time while an IKE SA begins; afterwards the newest is the truest.
  const settled = state.establishedAt !== undefined;
  state.roundTripMs = settled ? ms : Math.min(ms, state.roundTripMs ?? ms);
}
