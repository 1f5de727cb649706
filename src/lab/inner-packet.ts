// The packets that flows send through the tunnels: each names its flow and its place in it, and cannot be mistaken.
import { addressBytes, type IpAddress, isIpv6 } from '#sa';
import { readU16, readU32, writeU16, writeU32 } from '#wire';

/** In every packet of every flow: seen on the network, it is plaintext that got out. */
export const plaintextMark: Uint8Array = Uint8Array.from('wayward lab: secret', (letter) =>
  letter.charCodeAt(0),
);

/** What a packet says of itself. */
export interface InnerPacket {
  readonly flowIndex: number;
  readonly sequence: number;
}

const udp = 17;
const udpHeaderBytes = 8;
const labelBytes = 6;
export const innerPayloadBytesMin: number = plaintextMark.length + labelBytes;

/** A UDP packet without checksum (IPv4) or with a checksum nobody checks (IPv6), as both are opaque to a tunnel. */
export function innerPacket(
  source: IpAddress,
  destination: IpAddress,
  label: InnerPacket,
  payloadBytes: number,
): Uint8Array {
  const ipv6 = isIpv6(source);
  const headerBytes = ipv6 ? 40 : 20;
  const upperBytes = udpHeaderBytes + Math.max(payloadBytes, innerPayloadBytesMin);
  const packet = new Uint8Array(headerBytes + upperBytes);
  if (ipv6) {
    packet[0] = 0x60;
    writeU16(packet, 4, upperBytes);
    packet[6] = udp;
    packet[7] = 64;
    packet.set(addressBytes(source), 8);
    packet.set(addressBytes(destination), 24);
  } else {
    packet[0] = 0x45;
    writeU16(packet, 2, packet.length);
    packet[8] = 64;
    packet[9] = udp;
    packet.set(addressBytes(source), 12);
    packet.set(addressBytes(destination), 16);
    let sum = 0;
    for (let at = 0; at < 20; at += 2) sum += readU16(packet, at);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    writeU16(packet, 10, ~sum & 0xffff);
  }
  writeU16(packet, headerBytes, 40_000 + label.flowIndex);
  writeU16(packet, headerBytes + 2, 40_000);
  writeU16(packet, headerBytes + 4, upperBytes);
  const payloadAt = headerBytes + udpHeaderBytes;
  packet.set(plaintextMark, payloadAt);
  writeU16(packet, payloadAt + plaintextMark.length, label.flowIndex);
  writeU32(packet, payloadAt + plaintextMark.length + 2, label.sequence);
  for (let at = payloadAt + innerPayloadBytesMin; at < packet.length; at++) {
    packet[at] = (label.sequence + at) & 0xff;
  }
  return packet;
}

/** The label of a packet, or `undefined` if it is no packet of a flow. */
export function readInnerPacket(packet: Uint8Array): InnerPacket | undefined {
  const headerBytes = (packet[0] ?? 0) >>> 4 === 6 ? 40 : 20;
  const markAt = headerBytes + udpHeaderBytes;
  if (packet.length < markAt + innerPayloadBytesMin || !holdsMarkAt(packet, markAt)) return undefined;
  const labelAt = markAt + plaintextMark.length;
  return { flowIndex: readU16(packet, labelAt), sequence: readU32(packet, labelAt + 2) };
}

function holdsMarkAt(octets: Uint8Array, at: number): boolean {
  for (let i = 0; i < plaintextMark.length; i++) if (octets[at + i] !== plaintextMark[i]) return false;
  return true;
}

/** Whether a packet of a flow can be read in these octets. */
export function showsPlaintext(octets: Uint8Array): boolean {
  const first = plaintextMark[0]!;
  const last = octets.length - plaintextMark.length;
  for (let at = octets.indexOf(first); at >= 0 && at <= last; at = octets.indexOf(first, at + 1)) {
    if (holdsMarkAt(octets, at)) return true;
  }
  return false;
}
