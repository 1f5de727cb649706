// A request to rekey a Child SA whose Delete of ours is on its way: it is put off (RFC 7296 2.25.1) only once that has arrived.
//
// A peer whose own rekeying was put off may take the old pair for one that goes on, although it has answered our rekeying of it,
// and then not see what our Delete means: strongSwan 5.9 never begins to send on the new pair, until the next rekeying. In this
// order, it hears of the Delete first.
import { NotifyType } from '#wire';
import type { ChildSa } from '../../child-sas/child-sa.ts';
import type { IkeSaState } from '../../ike-sa-state.ts';
import { type RequestOrigin, sendResponse } from '../../messages/transmission.ts';
import { notify } from '../../payloads/notify.ts';

export interface PostponedRefusal {
  readonly origin: RequestOrigin;
  readonly child: ChildSa;
}

/** The peer cannot rekey this Child SA now. */
export function refuseRekeying(state: IkeSaState, origin: RequestOrigin, child: ChildSa): void {
  if (weClose(state, child)) state.postponedRefusals = [...state.postponedRefusals, { origin, child }];
  else refuse(state, origin);
}

/** After each input: what has waited for long enough is answered. An IKE SA that ends answers nothing any more. */
export function answerPostponed(state: IkeSaState): void {
  if (state.postponedRefusals.length === 0 || state.ended) return;
  const due = state.postponedRefusals.filter(
    ({ child }) => state.phase.name !== 'established' || !state.children.includes(child),
  );
  state.postponedRefusals = state.postponedRefusals.filter((one) => !due.includes(one));
  for (const { origin } of due) refuse(state, origin);
}

function refuse(state: IkeSaState, origin: RequestOrigin): void {
  sendResponse(state, origin, [notify(NotifyType.TEMPORARY_FAILURE)]);
}

/** Whether our Delete is on its way. One that waits for room in the window may wait for the peer, and the peer for us. */
function weClose(state: IkeSaState, { agreement: { inboundSpi } }: ChildSa): boolean {
  return state.requests
    .all()
    .some(({ exchange }) => exchange.kind === 'delete-child' && exchange.inboundSpi === inboundSpi);
}
