// Requests that wait for an answer while one end moves (RFC 4555 3.5, RFC 7296 2.23).
import type { IkeSaState } from '../../ike-sa-state.ts';
import { firstDelay, transmit } from '../../messages/transmission.ts';
import { pathsFor } from './other-paths.ts';

/** A peer that moves without end must not make us repeat a long request without end. */
const againMsMin = 500;

/** We are elsewhere: they go out from there at once, and have all their tries again. That is no sign of the peer's silence. */
export function sendAgainNow(state: IkeSaState): void {
  for (const request of state.requests.all()) {
    request.attempt = 0;
    request.sentAt = state.at;
    request.nextAt = state.at + firstDelay(state);
    for (const path of pathsFor(state, request)) transmit(state, request.datagrams, path);
  }
}

/** The peer is elsewhere: they follow it soon, as one more of their tries. */
export function sendAgainSoon(state: IkeSaState): void {
  for (const request of state.requests.all())
    request.nextAt = Math.min(request.nextAt, Math.max(state.at, request.sentAt + againMsMin));
}

/** A NAT shows the peer elsewhere: what went to where it was seen before is asked there, and has all its tries again. */
export function sendAgainThere(state: IkeSaState): void {
  for (const request of state.requests.all()) request.attempt = 0;
  sendAgainSoon(state);
}
