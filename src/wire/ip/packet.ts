// A packet of either IP version.
import { WireError } from '../error.ts';
import { type DecodeIpOptions, decodeIpv4, encodeIpv4, type Ipv4Packet } from './ipv4.ts';
import { decodeIpv6, encodeIpv6, type Ipv6Packet } from './ipv6.ts';

export type IpPacket = Ipv4Packet | Ipv6Packet;

/**
 * Reads the packet by its version field. Octet fields are views on `octets`, so the payload is found at
 * `payload.byteOffset - octets.byteOffset`. Throws `WireError`.
 */
export function decodeIp(octets: Uint8Array, how: DecodeIpOptions = {}): IpPacket {
  const first = octets[0];
  if (first === undefined) throw new WireError('truncated', 0, 'IP.version');
  switch (first >>> 4) {
    case 4:
      return decodeIpv4(octets, how);
    case 6:
      return decodeIpv6(octets, how);
    default:
      throw new WireError('version', 0, 'IP.version', `${first >>> 4}`);
  }
}

/** Writes the packet of either version. Throws `WireError`. */
export function encodeIp(packet: IpPacket): Uint8Array {
  return packet.version === 4 ? encodeIpv4(packet) : encodeIpv6(packet);
}

/** Whether the packet is a piece of a larger one, and whether that piece lacks the headers of its beginning. */
export function fragmentPosition(packet: IpPacket): 'whole' | 'initial' | 'non-initial' {
  if (packet.version === 4) {
    if (packet.fragmentOffset > 0) return 'non-initial';
    return packet.moreFragments ? 'initial' : 'whole';
  }
  let position: 'whole' | 'initial' = 'whole';
  for (const header of packet.extensions) {
    if (header.kind !== 'fragment') continue;
    if (header.offset > 0) return 'non-initial';
    if (header.moreFragments) position = 'initial';
  }
  return position;
}
