// NOTIFY about a locator that the peer prefers and we cannot read (RFC 8046 5.3).
import { appendHipSignature } from '#crypto';
import { encodeHipPacket, encodeHipParameters, HipNotifyType, HipPacketType, type Locator } from '#wire';
import type { HipAssociation } from '../association.ts';
import type { HipHostState } from '../host-state.ts';
import type { HipPath } from '../interface.ts';

/** Type and length of a parameter. */
const headerBytes = 4;

/** Beside the longest signature. */
const locatorBytesMax = 1_024;

/** As they came: the contents of a LOCATOR_SET that has no others. */
function contentsOf(locators: readonly Locator[]): Uint8Array {
  return encodeHipParameters([{ type: 'LOCATOR_SET', locators }]).slice(headerBytes);
}

/** Of each locator in turn, whether there is room for it behind those before. */
function fits(): (locator: Locator) => boolean {
  let room = locatorBytesMax;
  return (locator) => {
    const { length } = contentsOf([locator]);
    if (length > room) return false;
    room -= length;
    return true;
  };
}

export function sendUnsupportedLocators(
  state: HipHostState,
  { local, remote }: HipAssociation,
  locators: readonly Locator[],
  path: HipPath,
): void {
  const data = contentsOf(locators.filter(fits()));
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
