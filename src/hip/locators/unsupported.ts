// NOTIFY about a locator that the peer prefers and we cannot read (RFC 8046 5.3).
import { appendHipSignature } from '#crypto';
import { encodeHipPacket, encodeHipParameters, HipNotifyType, HipPacketType, type Locator } from '#wire';
import type { HipAssociation } from '../association.ts';
import type { HipHostState } from '../host-state.ts';
import type { HipPath } from '../interface.ts';

/** Type and length of a parameter. */
const headerBytes = 4;

export function sendUnsupportedLocators(
  state: HipHostState,
  { local, remote }: HipAssociation,
  locators: readonly Locator[],
  path: HipPath,
): void {
  // As they came: the contents of a LOCATOR_SET that has no others.
  const data = encodeHipParameters([{ type: 'LOCATOR_SET', locators }]).slice(headerBytes);
  const octets = encodeHipPacket({
    header: {
      packetType: HipPacketType.NOTIFY,
      anonymous: false,
      sender: local.identity.hit,
      receiver: remote,
    },
    parameters: [{ type: 'NOTIFICATION', notifyType: HipNotifyType.LOCATOR_TYPE_UNSUPPORTED, data }],
  });
  state.transmit(path, appendHipSignature(octets, local.key, state.ports.randomness));
}
