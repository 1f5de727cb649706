// The IPv4 packet (RFC 791 3.1) with the fields of RFC 2474 and RFC 3168 in place of Type of Service.
import { WireError } from '../error.ts';
import { requireLength, requireRange } from '../field.ts';
import { writeU16 } from '../octets.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { internetChecksum } from './checksum.ts';

export interface Ipv4Packet {
  readonly version: 4;
  /** 6 bits */
  readonly dscp: number;
  /** 2 bits */
  readonly ecn: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In octets, a multiple of 8. */
  readonly fragmentOffset: number;
  readonly timeToLive: number;
  /** What the payload is, `IpProtocol`. */
  readonly protocol: number;
  /** 4 octets */
  readonly source: Uint8Array;
  /** 4 octets */
  readonly destination: Uint8Array;
  /** As on the wire with their padding: a multiple of 4 octets, at most 40. `decodeIpv4Options` reads them. */
  readonly options: Uint8Array;
  readonly payload: Uint8Array;
}

/** How strictly a packet is read. */
export interface DecodeIpOptions {
  /** The packet is a quote or a shortened capture: its payload may end before its length field says so. */
  readonly partial?: boolean;
  /** False accepts any IPv4 header checksum, as captures on a sender with checksum offload need. */
  readonly verifyChecksum?: boolean;
}

/** Octets before the options. */
export const ipv4HeaderLength = 20;

/**
 * Reads one packet; `payload` and `options` are views. Octets after the total length are link-layer padding and
 * ignored, as is the reserved flag. Throws `WireError`.
 */
export function decodeIpv4(octets: Uint8Array, how: DecodeIpOptions = {}): Ipv4Packet {
  const reader = new Reader(octets);
  const first = reader.u8('IPv4.version');
  if (first >>> 4 !== 4) throw new WireError('version', 0, 'IPv4.version', `${first >>> 4}`);
  const headerLength = (first & 0xf) * 4;
  if (headerLength < ipv4HeaderLength) throw new WireError('length', 0, 'IPv4.IHL');
  const service = reader.u8('IPv4.DSCP');
  const totalLength = reader.u16('IPv4.totalLength');
  if (totalLength < headerLength) throw new WireError('length', 2, 'IPv4.totalLength');
  const identification = reader.u16('IPv4.identification');
  const flags = reader.u16('IPv4.flags');
  const timeToLive = reader.u8('IPv4.timeToLive');
  const protocol = reader.u8('IPv4.protocol');
  reader.skip(2, 'IPv4.headerChecksum');
  const source = reader.bytes(4, 'IPv4.source');
  const destination = reader.bytes(4, 'IPv4.destination');
  const options = reader.bytes(headerLength - ipv4HeaderLength, 'IPv4.options');
  if (how.verifyChecksum !== false && internetChecksum(octets, 0, headerLength) !== 0) {
    throw new WireError('checksum', 10, 'IPv4.headerChecksum');
  }
  const declared = totalLength - headerLength;
  const available = how.partial === true ? Math.min(declared, reader.remaining) : declared;
  return {
    version: 4,
    dscp: service >>> 2,
    ecn: service & 3,
    identification,
    dontFragment: (flags & 0x4000) !== 0,
    moreFragments: (flags & 0x2000) !== 0,
    fragmentOffset: (flags & 0x1fff) * 8,
    timeToLive,
    protocol,
    source,
    destination,
    options,
    payload: reader.bytes(available, 'IPv4.payload'),
  };
}

/** Writes header and payload, with length and header checksum computed. Throws `WireError`. */
export function encodeIpv4(packet: Ipv4Packet): Uint8Array {
  const { options, payload } = packet;
  if (options.length > 40 || options.length % 4 !== 0) {
    throw new WireError('length', ipv4HeaderLength, 'IPv4.options');
  }
  requireRange(packet.dscp, 0x3f, 1, 'IPv4.DSCP');
  requireRange(packet.ecn, 3, 1, 'IPv4.ECN');
  requireRange(packet.fragmentOffset, 0x1fff * 8, 6, 'IPv4.fragmentOffset');
  if (packet.fragmentOffset % 8 !== 0) throw new WireError('value', 6, 'IPv4.fragmentOffset');
  requireLength(packet.source, 4, 12, 'IPv4.source');
  requireLength(packet.destination, 4, 16, 'IPv4.destination');
  const headerLength = ipv4HeaderLength + options.length;
  const flags = (packet.dontFragment ? 0x4000 : 0) | (packet.moreFragments ? 0x2000 : 0);
  const octets = new Writer(headerLength + payload.length)
    .u8(0x40 | (headerLength / 4), 'IPv4.IHL')
    .u8((packet.dscp << 2) | packet.ecn, 'IPv4.DSCP')
    .u16(headerLength + payload.length, 'IPv4.totalLength')
    .u16(packet.identification, 'IPv4.identification')
    .u16(flags | (packet.fragmentOffset / 8), 'IPv4.flags')
    .u8(packet.timeToLive, 'IPv4.timeToLive')
    .u8(packet.protocol, 'IPv4.protocol')
    .zeros(2)
    .bytes(packet.source)
    .bytes(packet.destination)
    .bytes(options)
    .bytes(payload)
    .finish();
  writeIpv4Checksum(octets, 0, headerLength);
  return octets;
}

/** Computes the header checksum of the header at `start`, in place. */
export function writeIpv4Checksum(octets: Uint8Array, start: number, headerLength: number): void {
  writeU16(octets, start + 10, 0);
  writeU16(octets, start + 10, internetChecksum(octets, start, start + headerLength));
}
