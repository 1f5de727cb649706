// Cutting an IPv4 packet into fragments (RFC 791 2.3 and 3.2).
import { WireError } from '../error.ts';
import { decodeIpv4, encodeIpv4, type Ipv4Packet } from './ipv4.ts';
import { decodeIpv4Options, encodeIpv4Options, isCopiedOption } from './ipv4-options.ts';

/**
 * The packet as packets of at most `mtuBytes` octets each; a packet that fits is returned alone. Fragments of a
 * fragment keep its place in the original. Throws `WireError('value')` on a set DF flag and `WireError('limit')`
 * if the MTU has no room for a header and 8 octets.
 */
export function fragmentIpv4(octets: Uint8Array, mtuBytes: number): Uint8Array[] {
  const packet = decodeIpv4(octets);
  const totalLength = packet.payload.byteOffset - octets.byteOffset + packet.payload.length;
  if (totalLength <= mtuBytes) return [octets.subarray(0, totalLength)];
  if (packet.dontFragment) throw new WireError('value', 6, 'IPv4.flags.DF', 'larger than the MTU');
  const copied = copiedOptions(packet);
  const fragments: Uint8Array[] = [];
  for (let at = 0; at < packet.payload.length; ) {
    const options = at === 0 ? packet.options : copied;
    const room = mtuBytes - 20 - options.length;
    if (room < 8) throw new WireError('limit', 2, 'IPv4.totalLength', 'MTU too small to fragment');
    const last = packet.payload.length - at <= room;
    const length = last ? packet.payload.length - at : room - (room % 8);
    const fragmentOffset = packet.fragmentOffset + at;
    const payload = packet.payload.subarray(at, at + length);
    const moreFragments = !last || packet.moreFragments;
    fragments.push(encodeIpv4({ ...packet, options, moreFragments, fragmentOffset, payload }));
    at += length;
  }
  return fragments;
}

function copiedOptions(packet: Ipv4Packet): Uint8Array {
  if (packet.options.length === 0) return packet.options;
  return encodeIpv4Options(decodeIpv4Options(packet.options).filter(isCopiedOption));
}
