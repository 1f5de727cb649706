// From a captured frame to the IP packet in it, for the link types that IPsec gateways are captured on.
import { WireError } from '../error.ts';
import { readU16, readU32 } from '../octets.ts';

/** Numbers of the link-layer header types, as the tcpdump group registers them. */
export const LinkType = {
  /** BSD loopback: an address family in the byte order of the capturing machine. */
  NULL: 0,
  ETHERNET: 1,
  PPP: 9,
  /** Raw IP as files of FreeBSD and of OpenBSD have it, which wrote a number of their own. */
  RAW_FREEBSD: 12,
  RAW_OPENBSD: 14,
  RAW: 101,
  /** OpenBSD loopback: an address family in network byte order. */
  LOOP: 108,
  LINUX_SLL: 113,
  IPV4: 228,
  IPV6: 229,
  LINUX_SLL2: 276,
} as const;

const etherTypeIpv4 = 0x0800;
const etherTypeIpv6 = 0x86dd;
const etherTypePppoe = 0x8864;
const pppIpv4 = 0x0021;
const pppIpv6 = 0x0057;
/** More VLAN tags than this are refused. */
const vlanTagsMax = 4;

/**
 * Where the IP packet begins in a frame; undefined if the frame carries something else, such as ARP. Throws
 * `WireError` if the frame ends inside its link-layer header, has too many VLAN tags, or its link type is unknown.
 */
export function locateIpPacket(linkType: number, frame: Uint8Array): number | undefined {
  switch (linkType) {
    case LinkType.RAW:
    case LinkType.RAW_FREEBSD:
    case LinkType.RAW_OPENBSD:
    case LinkType.IPV4:
    case LinkType.IPV6:
      return 0;
    case LinkType.ETHERNET:
      return behindEtherType(frame, 12);
    case LinkType.PPP:
      // RFC 1662 3.1: address and control octets, which may be left out.
      return behindPpp(frame, frame[0] === 0xff && frame[1] === 0x03 ? 2 : 0);
    case LinkType.LINUX_SLL:
      requireFrame(frame, 16, 'SLL');
      return behindEtherType(frame, 14);
    case LinkType.LINUX_SLL2:
      requireFrame(frame, 20, 'SLL2');
      return isIp(readU16(frame, 0)) ? 20 : undefined;
    case LinkType.NULL:
    case LinkType.LOOP:
      return behindAddressFamily(frame, linkType);
    default:
      throw new WireError('value', 0, 'linkType', `${linkType} is not supported`);
  }
}

function requireFrame(frame: Uint8Array, length: number, field: string): void {
  if (frame.length < length) throw new WireError('truncated', frame.length, field);
}

function isIp(etherType: number): boolean {
  return etherType === etherTypeIpv4 || etherType === etherTypeIpv6;
}

function isVlanTag(etherType: number): boolean {
  return etherType === 0x8100 || etherType === 0x88a8 || etherType === 0x9100;
}

function behindEtherType(frame: Uint8Array, start: number): number | undefined {
  let at = start;
  for (let tags = 0; ; tags++) {
    requireFrame(frame, at + 2, 'etherType');
    const etherType = readU16(frame, at);
    if (isIp(etherType)) return at + 2;
    // RFC 2516 4: six octets of PPPoE, then the PPP protocol.
    if (etherType === etherTypePppoe) return behindPpp(frame, at + 8);
    if (!isVlanTag(etherType)) return undefined;
    if (tags === vlanTagsMax) throw new WireError('limit', at, 'VLAN.tags');
    at += 4;
  }
}

function behindPpp(frame: Uint8Array, at: number): number | undefined {
  requireFrame(frame, at + 2, 'PPP.protocol');
  const protocol = readU16(frame, at);
  return protocol === pppIpv4 || protocol === pppIpv6 ? at + 2 : undefined;
}

function behindAddressFamily(frame: Uint8Array, linkType: number): number | undefined {
  requireFrame(frame, 4, 'addressFamily');
  const family = readU32(frame, 0);
  // A family is a small number, so the byte order of NULL shows by itself. AF_INET is 2 everywhere; AF_INET6 is 10
  // on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS.
  const swapped = linkType === LinkType.NULL && (family & 0xffff) === 0;
  const number = swapped ? (family >>> 24) | ((family >>> 8) & 0xff00) : family;
  return [2, 10, 24, 28, 30].includes(number) ? 4 : undefined;
}
