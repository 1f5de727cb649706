// The IPv6 packet (RFC 8200 3) with its extension headers. Jumbograms (RFC 2675) are not read.
import { WireError } from '../error.ts';
import { requireLength, requireRange } from '../field.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import type { DecodeIpOptions } from './ipv4.ts';
import {
  type ExtensionHeader,
  extensionHeaderNumber,
  readExtensionHeaders,
  writeExtensionHeaders,
} from './ipv6-extension-headers.ts';

export interface Ipv6Packet {
  readonly version: 6;
  /** 6 bits */
  readonly dscp: number;
  /** 2 bits */
  readonly ecn: number;
  /** 20 bits */
  readonly flowLabel: number;
  readonly hopLimit: number;
  /** 16 octets */
  readonly source: Uint8Array;
  /** 16 octets */
  readonly destination: Uint8Array;
  /** In their order on the wire. Ends after a fragment header whose offset is not 0. */
  readonly extensions: readonly ExtensionHeader[];
  /** What the payload is, `IpProtocol`; in a non-initial fragment what the fragmented part begins with. */
  readonly protocol: number;
  readonly payload: Uint8Array;
}

export const ipv6HeaderLength = 40;

/** Reads one packet; octet fields are views, octets after the payload length are ignored. Throws `WireError`. */
export function decodeIpv6(octets: Uint8Array, how: DecodeIpOptions = {}): Ipv6Packet {
  const reader = new Reader(octets);
  const first = reader.u32('IPv6.version');
  if (first >>> 28 !== 6) throw new WireError('version', 0, 'IPv6.version', `${first >>> 28}`);
  const payloadLength = reader.u16('IPv6.payloadLength');
  const nextHeader = reader.u8('IPv6.nextHeader');
  const hopLimit = reader.u8('IPv6.hopLimit');
  const source = reader.bytes(16, 'IPv6.source');
  const destination = reader.bytes(16, 'IPv6.destination');
  const available = how.partial === true ? Math.min(payloadLength, reader.remaining) : payloadLength;
  const body = reader.sub(available, 'IPv6.payload');
  const { extensions, protocol } = readExtensionHeaders(body, nextHeader);
  return {
    version: 6,
    dscp: (first >>> 22) & 0x3f,
    ecn: (first >>> 20) & 3,
    flowLabel: first & 0xf_ffff,
    hopLimit,
    source,
    destination,
    extensions,
    protocol,
    payload: body.rest(),
  };
}

/** Writes header, extension headers and payload. Throws `WireError`. */
export function encodeIpv6(packet: Ipv6Packet): Uint8Array {
  requireRange(packet.dscp, 0x3f, 0, 'IPv6.DSCP');
  requireRange(packet.ecn, 3, 1, 'IPv6.ECN');
  requireRange(packet.flowLabel, 0xf_ffff, 1, 'IPv6.flowLabel');
  requireLength(packet.source, 16, 8, 'IPv6.source');
  requireLength(packet.destination, 16, 24, 'IPv6.destination');
  const writer = new Writer(ipv6HeaderLength + packet.payload.length + 64);
  writer
    .u32(0x6000_0000 + (packet.dscp << 22) + (packet.ecn << 20) + packet.flowLabel, 'IPv6.flowLabel')
    .zeros(3)
    .u8(packet.hopLimit, 'IPv6.hopLimit')
    .bytes(packet.source)
    .bytes(packet.destination);
  writeExtensionHeaders(writer, packet.extensions, packet.protocol);
  writer.bytes(packet.payload);
  writer.patchU16(4, writer.length - ipv6HeaderLength, 'IPv6.payloadLength');
  writer.patchU8(6, firstNextHeader(packet), 'IPv6.nextHeader');
  return writer.finish();
}

function firstNextHeader(packet: Ipv6Packet): number {
  const first = packet.extensions[0];
  return first === undefined ? packet.protocol : extensionHeaderNumber(first);
}
