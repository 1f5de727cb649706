// A base exchange that was begun from another address than the one that this host has now.
import type { Endpoint } from '#sa';
import type { HipAssociation, I1Sent, I2Sent } from '../association.ts';
import type { HipHostState } from '../host-state.ts';

/**
 * Asks again at once: an R1 on its way goes to the old address, and the puzzle of one that has come may be for that address
 * alone, as ours are (RFC 7401 4.1.1, appendix A). What was repeated already counts.
 */
export function callFrom(
  state: HipHostState,
  association: HipAssociation,
  attempt: I1Sent | I2Sent,
  local: Endpoint,
): void {
  const { repetitions, nextAt, renewals } = attempt;
  const { solving: _, ...before } = attempt.name === 'I2-SENT' ? attempt.call : attempt;
  const path = { ...before.path, local };
  const beside = before.beside && { beside: { ...before.beside, local } };
  const call: I1Sent = { ...before, path, ...beside, renewals, repetitions, nextAt };
  state.change(association, 'this host has moved', () => {
    state.dropAttempt(association);
    association.attempt = call;
  });
  state.transmit(call.path, call.packet);
  if (call.beside !== undefined) state.transmit(call.beside, call.packet);
}
