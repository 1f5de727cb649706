// The selector fields of a packet (RFC 4301 4.4.1.1, 4.4.1.3) read in place, for the data path: no allocation, no exception.
import { readU16 } from '../octets.ts';
import { extensionHeaderLimit } from './ipv6-extension-headers.ts';
import { IpProtocol } from './protocol.ts';

/** A selector field that the packet does not show: RFC 4301 calls it OPAQUE. No port and no protocol has this value. */
export const opaque = -1;

/** What became of reading a packet. Everything but `ok` means that the packet is to be dropped. */
export const PacketVerdict = {
  ok: 0,
  /** The packet ends before its length fields say so, or before the ports of a packet that must have them. */
  truncated: 1,
  /** A length field contradicts another one, or the extension headers do not end. */
  malformed: 2,
  /** Neither IPv4 nor IPv6. */
  version: 3,
} as const;

export const FragmentPosition = { whole: 0, initial: 1, nonInitial: 2 } as const;

/** Filled by `readPacketSelectors`, to be reused from packet to packet. All offsets count from octet 0 of the buffer. */
export interface PacketSelectors {
  version: number;
  /** The Next Layer Protocol: ESP and AH count as such. `opaque` in some non-initial IPv6 fragments. */
  protocol: number;
  sourceOffset: number;
  destinationOffset: number;
  /** 4 or 16 */
  addressLength: number;
  /**
   * Ports; for ICMP type << 8 | code and for Mobility Headers type << 8 in both of them; 0 for a protocol without
   * any, whose selectors cover all ports. `opaque` in a non-initial fragment.
   */
  sourcePort: number;
  destinationPort: number;
  fragment: (typeof FragmentPosition)[keyof typeof FragmentPosition];
  /** First octet of the next layer protocol, or of the fragment's data. */
  payloadOffset: number;
  /** One past the last octet of the packet, which may be before the end of the buffer's range. */
  end: number;
}

/** A record for `readPacketSelectors` to fill. */
export function emptyPacketSelectors(): PacketSelectors {
  return {
    version: 0,
    protocol: opaque,
    sourceOffset: 0,
    destinationOffset: 0,
    addressLength: 0,
    sourcePort: opaque,
    destinationPort: opaque,
    fragment: FragmentPosition.whole,
    payloadOffset: 0,
    end: 0,
  };
}

/**
 * Reads the packet between `start` and `end` of `octets` into `into` and returns a `PacketVerdict`. Header checksums
 * are not verified. After any verdict but `ok` the content of `into` is meaningless.
 */
export function readPacketSelectors(
  octets: Uint8Array,
  start: number,
  end: number,
  into: PacketSelectors,
): number {
  if (end > octets.length || start >= end) return PacketVerdict.truncated;
  into.version = octets[start]! >>> 4;
  const verdict =
    into.version === 4
      ? readIpv4(octets, start, end, into)
      : into.version === 6
        ? readIpv6(octets, start, end, into)
        : PacketVerdict.version;
  return verdict === PacketVerdict.ok ? readPorts(octets, into) : verdict;
}

function readIpv4(octets: Uint8Array, start: number, end: number, into: PacketSelectors): number {
  if (end - start < 20) return PacketVerdict.truncated;
  const headerLength = (octets[start]! & 0xf) * 4;
  const totalLength = readU16(octets, start + 2);
  if (headerLength < 20 || totalLength < headerLength) return PacketVerdict.malformed;
  if (start + totalLength > end) return PacketVerdict.truncated;
  const flags = readU16(octets, start + 6);
  into.fragment = position((flags & 0x1fff) !== 0, (flags & 0x2000) !== 0);
  into.protocol = octets[start + 9]!;
  into.sourceOffset = start + 12;
  into.destinationOffset = start + 16;
  into.addressLength = 4;
  into.payloadOffset = start + headerLength;
  into.end = start + totalLength;
  return PacketVerdict.ok;
}

function position(offset: boolean, more: boolean): PacketSelectors['fragment'] {
  if (offset) return FragmentPosition.nonInitial;
  return more ? FragmentPosition.initial : FragmentPosition.whole;
}

function readIpv6(octets: Uint8Array, start: number, end: number, into: PacketSelectors): number {
  if (end - start < 40) return PacketVerdict.truncated;
  const packetEnd = start + 40 + readU16(octets, start + 4);
  if (packetEnd > end) return PacketVerdict.truncated;
  into.fragment = FragmentPosition.whole;
  into.sourceOffset = start + 8;
  into.destinationOffset = start + 24;
  into.addressLength = 16;
  into.end = packetEnd;
  let at = start + 40;
  let protocol = octets[start + 6]!;
  for (let count = 0; isSkipped(protocol); count++) {
    if (count === extensionHeaderLimit) return PacketVerdict.malformed;
    // RFC 8200 4.1: the hop-by-hop options come first or not at all.
    if (protocol === IpProtocol.HOP_BY_HOP && count > 0) return PacketVerdict.malformed;
    if (at + 8 > packetEnd) return PacketVerdict.truncated;
    const nextHeader = octets[at]!;
    if (protocol === IpProtocol.FRAGMENT) {
      const field = readU16(octets, at + 2);
      at += 8;
      if ((field & 0xfff8) !== 0) {
        // The fragmented part may begin with headers that only the initial fragment shows.
        into.fragment = FragmentPosition.nonInitial;
        into.protocol = isSkipped(nextHeader) ? opaque : nextHeader;
        into.payloadOffset = at;
        return PacketVerdict.ok;
      }
      if ((field & 1) !== 0) into.fragment = FragmentPosition.initial;
    } else {
      at += (octets[at + 1]! + 1) * 8;
      if (at > packetEnd) return PacketVerdict.truncated;
    }
    protocol = nextHeader;
  }
  into.protocol = protocol;
  into.payloadOffset = at;
  return PacketVerdict.ok;
}

// RFC 4301 4.4.1.1 lists the headers to look behind; AH and ESP are not among them.
function isSkipped(protocol: number): boolean {
  return (
    protocol === IpProtocol.HOP_BY_HOP ||
    protocol === IpProtocol.ROUTING ||
    protocol === IpProtocol.FRAGMENT ||
    protocol === IpProtocol.DESTINATION_OPTIONS
  );
}

function readPorts(octets: Uint8Array, into: PacketSelectors): number {
  into.sourcePort = opaque;
  into.destinationPort = opaque;
  // An initial fragment without its ports would pass for a non-initial one (RFC 4301 7): below it is refused.
  if (into.fragment === FragmentPosition.nonInitial) return PacketVerdict.ok;
  const at = into.payloadOffset;
  switch (into.protocol) {
    case IpProtocol.TCP:
    case IpProtocol.UDP:
    case IpProtocol.DCCP:
    case IpProtocol.SCTP:
    case IpProtocol.UDP_LITE:
      if (at + 4 > into.end) return PacketVerdict.truncated;
      into.sourcePort = readU16(octets, at);
      into.destinationPort = readU16(octets, at + 2);
      return PacketVerdict.ok;
    case IpProtocol.ICMP:
    case IpProtocol.ICMPV6:
      if (at + 2 > into.end) return PacketVerdict.truncated;
      into.sourcePort = readU16(octets, at);
      into.destinationPort = into.sourcePort;
      return PacketVerdict.ok;
    case IpProtocol.MOBILITY:
      if (at + 3 > into.end) return PacketVerdict.truncated;
      into.sourcePort = octets[at + 2]! << 8;
      into.destinationPort = into.sourcePort;
      return PacketVerdict.ok;
    default:
      into.sourcePort = 0;
      into.destinationPort = 0;
      return PacketVerdict.ok;
  }
}
