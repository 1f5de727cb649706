// The tickets of an IKE SA end with it, unless it was lost (RFC 5723 6.2, 9.8).
import type { IkeSaState } from '../ike-sa-state.ts';

/** Gateway: whoever still holds a ticket for this IKE SA cannot use it any more. */
export function revokeTickets(state: IkeSaState): void {
  if (!state.ticketGiven) return;
  state.ticketGiven = false;
  state.ports.tickets?.revoke(state.ports.wallClockMs(), state.spis);
}
