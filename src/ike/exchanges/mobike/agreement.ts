// MOBIKE_SUPPORTED: what both ends say in IKE_AUTH of moving (RFC 4555 3.2, 3.4, 3.9, 4.2.1).
import { NotifyType, type Payload } from '#wire';
import type { IkeSaState } from '../../ike-sa-state.ts';
import { newMobility, type Path, wantsMobility } from '../../mobility.ts';
import { additionalAddresses, additionalAddressNotifies } from '../../payloads/additional-addresses.ts';
import { isNatUnexpected, noNatsAllowed } from '../../payloads/no-nats-allowed.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import { otherOwnAddresses } from './other-paths.ts';

/**
 * In IKE_AUTH: as client if we are willing, as gateway once both are. A client names no further addresses: the gateway could do
 * nothing with them that its own new address does not do (RFC 4555 5.5, 3.6).
 */
export function mobikeAnnouncement(state: IkeSaState): Payload[] {
  if (state.client)
    return wantsMobility(state.connection)
      ? [notify(NotifyType.MOBIKE_SUPPORTED), ...natProhibition(state, state)]
      : [];
  if (state.mobility === undefined) return [];
  const others = otherOwnAddresses(state);
  return [
    notify(NotifyType.MOBIKE_SUPPORTED),
    // 4.2.3: that there are none is said in INFORMATIONAL only.
    ...(others.length === 0 ? [] : additionalAddressNotifies(others)),
  ];
}

/** What the peer said in IKE_AUTH. */
export function noteMobike(state: IkeSaState, payloads: readonly Payload[]): void {
  if (!wantsMobility(state.connection)) return;
  if (findNotify(payloads, NotifyType.MOBIKE_SUPPORTED) === undefined) return;
  state.mobility = { ...newMobility(), peerAddresses: additionalAddresses(payloads) ?? [] };
}

/** RFC 4555 3.9: without NAT traversal nobody may change the addresses of what changes the addresses of SAs. */
export function natProhibition(state: IkeSaState, { local, remote }: Path): Payload[] {
  return state.nat.supported ? [] : [noNatsAllowed(local, remote)];
}

/** RFC 4555 3.9: an IKE_AUTH request that a NAT has changed, though there must be none. */
export function isRefusedForNat(state: IkeSaState, payloads: readonly Payload[], path: Path): boolean {
  return wantsMobility(state.connection) && isNatUnexpected(payloads, path.local, path.remote);
}
