// NOTIFY to an Initiator whose I2 is of no use: why (RFC 7401 4.3, 5.2.19, 6.9.1, RFC 7402 5.1.3).
//
// Only for what has come this far that its puzzle is known to be solved: it was set for the address that the answer goes to,
// and each solution is good for few of them. None is longer than the I2, and none goes out beyond a rate.
import { appendHipSignature } from '#crypto';
import { encodeHipPacket, HipNotifyType, HipPacketType } from '#wire';
import type { LocalIdentity } from '../configuration.ts';
import type { HipHostState, ReceivedPacket } from '../host-state.ts';
import type { HipRejection } from '../interface.ts';

/**
 * What RFC 7401 6.9 has dropped in silence is: an unknown group, and ENCRYPTED without a HOST_ID. INVALID_SYNTAX is for
 * whoever has proven who he is.
 */
const notifyTypes: ReadonlyMap<HipRejection, number> = new Map<HipRejection, number>([
  ['cipher', HipNotifyType.INVALID_HIP_CIPHER_CHOSEN],
  ['esp-transform', HipNotifyType.INVALID_ESP_TRANSFORM_CHOSEN],
  ['mac', HipNotifyType.HIP_MAC_FAILED],
  ['host-identity', HipNotifyType.INVALID_HIT],
  ['signature', HipNotifyType.AUTHENTICATION_FAILED],
  ['keymat-index', HipNotifyType.INVALID_SYNTAX],
  ['not-configured', HipNotifyType.BLOCKED_BY_POLICY],
  ['too-many', HipNotifyType.RESPONDER_BUSY_PLEASE_RETRY],
  ['data-plane', HipNotifyType.RESPONDER_BUSY_PLEASE_RETRY],
]);

/** The puzzle of the I2 is solved; the rejection came later. */
export function tellRefusal(
  state: HipHostState,
  { packet, path }: ReceivedPacket,
  { identity, key }: LocalIdentity,
  rejection: HipRejection,
): void {
  const notifyType = notifyTypes.get(rejection);
  if (notifyType === undefined || !state.responder.mayRefuse(path, state.at)) return;
  const bare = encodeHipPacket({
    header: {
      packetType: HipPacketType.NOTIFY,
      anonymous: false,
      sender: identity.hit,
      receiver: packet.header.sender,
    },
    parameters: [{ type: 'NOTIFICATION', notifyType, data: new Uint8Array() }],
  });
  const octets = appendHipSignature(bare, key, state.ports.randomness);
  if (octets.length <= packet.octets.length) state.transmit(path, octets);
}
