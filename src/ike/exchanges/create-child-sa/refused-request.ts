// A CREATE_CHILD_SA request of ours was refused: whether, how and when to try again (RFC 7296 1.3, 2.25).

import { randomUpTo } from '../../clocks/lifetimes.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import type { Task, Work } from '../../task.ts';

/** A first wait long enough for the peer's own exchange, and its retransmissions, to end; half as much may come on top. */
const retryDelayMs = 5_000;
/** Where traffic waits: for a few round trips, which the peer's exchange takes if nothing of it is lost; then it doubles. */
const urgentRetryMsMin = 500;

/** RFC 7296 2.25: after several minutes of TEMPORARY_FAILURE the states are out of step. */
const temporaryFailureMaxMs = 180_000;

/** A rekeying that failed for good is tried again after this time, while the old SA still lives. */
export const rekeyRetryMs = 30_000;
/** That of a Child SA sooner at first: how long its octets or packets last, no clock tells. */
const childRekeyRetryMsMin = 2_000;

/** @param failures of the same Child SA before this one */
export function childRekeyRetryMs(failures: number): number {
  return Math.min(rekeyRetryMs, childRekeyRetryMsMin * 2 ** failures);
}

export function retryLater(state: IkeSaState, task: Task): void {
  const refusedSince = task.refusedSince ?? state.at;
  if (state.at - refusedSince >= temporaryFailureMaxMs) {
    const reason = failure('temporary-failure', 'the peer has been putting us off for minutes');
    state.tasks.add({ kind: 'delete-ike', failure: reason });
    return;
  }
  const delay = isUrgent(task.work)
    ? Math.min(retryDelayMs, Math.max(urgentRetryMsMin, state.at - refusedSince))
    : retryDelayMs;
  const jitter = randomUpTo(delay / 2, state.ports.randomness);
  state.tasks.add(task.work, { ...task, refusedSince, notBefore: state.at + delay + jitter });
}

/** What would be replaced carries traffic meanwhile; nothing else does. */
function isUrgent(work: Work): boolean {
  return work.kind === 'initiate-child' || (work.kind === 'rekey-child' && work.unknownToPeer === true);
}

/** INVALID_KE_PAYLOAD: the same again at once, with the group the peer wants. */
export function retryWithGroup(state: IkeSaState, task: Task, group: number, used: number): void {
  state.tasks.add(withGroup(task.work, group), { ...task, triedGroups: [...task.triedGroups, used, group] });
}

function withGroup(work: Work, group: number): Work {
  switch (work.kind) {
    case 'initiate-child':
    case 'rekey-child':
    case 'rekey-ike':
      return { ...work, group };
    default:
      return work;
  }
}
