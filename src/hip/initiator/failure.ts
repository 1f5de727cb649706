// The end of a base exchange that came to nothing (RFC 7401 4.1.6, 4.4.3, table 9).
import type { HipAssociation } from '../association.ts';
import type { HipHostState } from '../host-state.ts';

/** What stands beside the attempt stays: nobody has proven anything against it. */
export function failAttempt(state: HipHostState, association: HipAssociation, reason: string): void {
  state.change(association, reason, () => {
    state.dropAttempt(association);
    association.failedUntil = state.at + state.configuration.failedMs;
  });
  state.emit({ kind: 'failed', context: association.context, reason });
}
