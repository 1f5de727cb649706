// Does the peer still know this association? An UPDATE with something to echo (RFC 7401 5.2.20, 6.11).
import type { HipAssociation, Standing } from '../association.ts';
import type { HipHostState } from '../host-state.ts';
import { sendUpdate } from './send-update.ts';

const echoBytes = 8;

/** At most one at a time; any other UPDATE under way is as good. */
export function checkLiveness(state: HipHostState, association: HipAssociation, standing: Standing): void {
  if (standing.updates.outstanding !== undefined) return;
  sendUpdate(state, association, standing, {
    purpose: 'check',
    parameters: [],
    echo: state.ports.randomness.bytes(echoBytes),
  });
}
