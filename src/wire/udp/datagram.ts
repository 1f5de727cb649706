// The UDP datagram (RFC 768) over either IP version.
import { WireError } from '../error.ts';
import { type AddressPair, transportChecksum } from '../ip/checksum.ts';
import { IpProtocol } from '../ip/protocol.ts';
import { writeU16 } from '../octets.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** False: the checksum field is zero, which means none (RFC 768; over IPv6 only for tunnels, RFC 6935). */
  readonly checksummed: boolean;
  readonly payload: Uint8Array;
}

export const udpHeaderLength = 8;

/**
 * Reads the payload of an IP packet of protocol 17; `payload` is a view, and octets beyond the length field are
 * ignored. A checksum is verified if `addresses` are given. Throws `WireError`.
 */
export function decodeUdp(octets: Uint8Array, addresses?: AddressPair): UdpDatagram {
  const reader = new Reader(octets);
  const sourcePort = reader.u16('UDP.sourcePort');
  const destinationPort = reader.u16('UDP.destinationPort');
  const length = reader.u16('UDP.length');
  if (length < udpHeaderLength) throw new WireError('length', 4, 'UDP.length');
  const checksummed = reader.u16('UDP.checksum') !== 0;
  const payload = reader.bytes(length - udpHeaderLength, 'UDP.payload');
  if (checksummed && addresses !== undefined) {
    const difference = transportChecksum(addresses, IpProtocol.UDP, octets.subarray(0, length));
    if (difference !== 0) throw new WireError('checksum', 6, 'UDP.checksum');
  }
  return { sourcePort, destinationPort, checksummed, payload };
}

/** Writes header and payload; `addresses` are needed for the checksum. Throws `WireError`. */
export function encodeUdp(datagram: UdpDatagram, addresses: AddressPair): Uint8Array {
  const writer = new Writer(udpHeaderLength + datagram.payload.length)
    .u16(datagram.sourcePort, 'UDP.sourcePort')
    .u16(datagram.destinationPort, 'UDP.destinationPort')
    .u16(udpHeaderLength + datagram.payload.length, 'UDP.length')
    .zeros(2)
    .bytes(datagram.payload);
  if (!datagram.checksummed) return writer.finish();
  const octets = writer.finish();
  // RFC 768: a computed zero is sent as all ones, since zero means no checksum.
  const checksum = transportChecksum(addresses, IpProtocol.UDP, octets) || 0xffff;
  writeU16(octets, 6, checksum);
  return octets;
}

/** Writes a header without checksum into a caller-owned buffer: enough for UDP-encapsulated ESP (RFC 3948 2.1). */
export function writeUdpHeader(
  octets: Uint8Array,
  offset: number,
  sourcePort: number,
  destinationPort: number,
  payloadLength: number,
): void {
  writeU16(octets, offset, sourcePort);
  writeU16(octets, offset + 2, destinationPort);
  writeU16(octets, offset + 4, udpHeaderLength + payloadLength);
  writeU16(octets, offset + 6, 0);
}
