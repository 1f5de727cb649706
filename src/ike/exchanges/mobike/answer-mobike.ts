// What an INFORMATIONAL request says of MOBIKE, and what the answer has of it (RFC 4555 3.5 to 3.9).
import { isUnicast } from '#sa';
import { NotifyType, type Payload } from '#wire';
import { moveChildren } from '../../child-sas/child-installation.ts';
import { holderOf, type IkeSaState } from '../../ike-sa-state.ts';
import type { RequestOrigin } from '../../messages/transmission.ts';
import { type Mobility, type Path, sameEndpoint, samePath } from '../../mobility.ts';
import { additionalAddresses } from '../../payloads/additional-addresses.ts';
import { returnedCookie2 } from '../../payloads/cookie2.ts';
import { isEncapsulated } from '../../payloads/nat-detection.ts';
import { isNatUnexpected } from '../../payloads/no-nats-allowed.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import { natNotifies, noteNatOfMove } from '../ike-sa-init/nat.ts';
import { sendAgainSoon } from './send-again.ts';
import { followGateway } from './update-addresses.ts';

export function answerMobike(
  state: IkeSaState,
  origin: RequestOrigin,
  payloads: readonly Payload[],
): Payload[] {
  const holder = holderOf(state);
  const { mobility } = holder;
  if (mobility === undefined) return [];
  const cookie = returnedCookie2(payloads);
  const updates = findNotify(payloads, NotifyType.UPDATE_SA_ADDRESSES) !== undefined;
  const addresses = additionalAddresses(payloads);
  if ((updates || addresses !== undefined) && isNatUnexpected(payloads, origin.local, origin.remote))
    // RFC 4555 4.1.2
    return [notify(NotifyType.UNEXPECTED_NAT_DETECTED), ...cookie];
  // 3.5, 3.6: with a window of several requests an older one may come behind a newer one.
  if ((updates || addresses !== undefined) && isNewest(state, origin.messageId)) {
    if (addresses !== undefined) {
      mobility.peerAddresses = addresses;
      if (holder.client) followGateway(holder, mobility, origin);
    }
    // It is the client who decides.
    if (updates && !holder.client) {
      if (!isAcceptable(holder, origin)) return [notify(NotifyType.UNACCEPTABLE_ADDRESSES), ...cookie];
      followClient(holder, state, mobility, origin, payloads);
    }
  }
  return [...mappingAnswer(state, origin, payloads), ...cookie];
}

function isNewest(state: IkeSaState, messageId: number): boolean {
  if (messageId <= state.newestMoveId || (state.successor?.newestMoveId ?? -1) >= 0) return false;
  state.newestMoveId = messageId;
  return true;
}

/** RFC 4555 1.2, 4.1.1: what is not in tunnel mode has the addresses in its selectors, and cannot move. */
function isAcceptable({ children }: IkeSaState, { local, remote }: Path): boolean {
  return (
    isUnicast(remote.address) &&
    local.address !== remote.address &&
    children.every(({ agreement }) => agreement.mode === 'tunnel')
  );
}

/** RFC 4555 3.5: the IKE SA follows at once, Child SAs when the client has answered from there (3.7). */
function followClient(
  holder: IkeSaState,
  state: IkeSaState,
  mobility: Mobility,
  { local, remote }: Path,
  payloads: readonly Payload[],
): void {
  const path = { local, remote };
  const ends = holder.tunnelEnds;
  const from = holder.remote;
  holder.local = local;
  holder.remote = remote;
  noteNatOfMove(holder, state, payloads, path);
  if (sameEndpoint(ends.remote, remote)) {
    mobility.candidate = undefined;
    mobility.proven = undefined;
    if (!samePath(ends, path) || isEncapsulated(ends.nat) !== holder.encapsulated) moveChildren(holder);
  } else {
    mobility.proven = ends;
    const { candidate } = mobility;
    if (candidate !== undefined && samePath(candidate, path)) candidate.by = 'update';
    else {
      mobility.candidate = { ...path, by: 'update', failures: 0 };
      holder.tasks.add({ kind: 'check-path' });
    }
    sendAgainSoon(holder);
  }
  if (!sameEndpoint(from, remote)) holder.emit({ kind: 'peer-moved', from, to: remote });
}

/** RFC 4555 3.8: whoever asks where it is seen is told, and nothing else comes of it. */
function mappingAnswer(state: IkeSaState, { local, remote }: Path, payloads: readonly Payload[]): Payload[] {
  const asks =
    findNotify(payloads, NotifyType.NAT_DETECTION_SOURCE_IP) !== undefined &&
    findNotify(payloads, NotifyType.NAT_DETECTION_DESTINATION_IP) !== undefined;
  return asks ? natNotifies(state, { local, remote }) : [];
}
