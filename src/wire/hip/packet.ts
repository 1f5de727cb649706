// Whole HIP packets: the header of 40 octets and its parameters (RFC 7401 5.1), as in IP and in UDP (RFC 9028 5.1).
import { WireError } from '../error.ts';
import { type AddressPair, transportChecksum } from '../ip/checksum.ts';
import { IpProtocol } from '../ip/protocol.ts';
import { writeU16 } from '../octets.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { hitBytes, hitFromBytes, hitLength } from './hit.ts';
import {
  decodeParameterList,
  encodeParameterList,
  hipParameterTypeOf,
  type ParameterSpan,
  parameterSpans,
} from './parameter-list.ts';
import type { HipHeader, HipPacket, HipParameter } from './parameters.ts';

export const hipHeaderLength = 40;

/** RFC 7401 5.1: Header Length counts eights of octets behind the first eight, in one octet. */
export const hipPacketLengthMax = 2048;

/** Port of HIP and ESP in UDP (RFC 9028 5.1). Before HIP stand the four zero octets of `addNonEspMarker`. */
export const hipUdpPort = 10_500;

const hipVersion = 2;
const packetTypeMask = 0x7f;
/** The lowest bit of the fourth octet, for SHIM6's sake (RFC 7401 5.1). */
const shim6Bit = 0x01;
const anonymousBit = 0x0001;

const lengthAt = 1;
const versionAt = 3;
export const hipChecksumAt = 4;
export const hipReceiverAt = 24;

/** What the header says beside what encoders compute. */
export interface ReceivedHipHeader extends HipHeader {
  readonly version: number;
  /** Octets of the whole packet, as claimed. */
  readonly length: number;
  readonly checksum: number;
}

/**
 * Reads the header alone, of any version; neither length nor checksum are compared with anything.
 * Throws `WireError('length')` for a length without room for the header itself.
 */
export function decodeHipHeader(octets: Uint8Array): ReceivedHipHeader {
  const reader = new Reader(octets);
  const nextHeader = reader.u8('HIP.next header');
  const headerLength = reader.u8('HIP.header length');
  const length = (headerLength + 1) * 8;
  if (length < hipHeaderLength) {
    throw reader.failAt(lengthAt, 'length', 'HIP.header length', `${headerLength} is less than 4`);
  }
  // The bit in front of the type, the one behind the version and the three between them mean nothing when received.
  const packetType = reader.u8('HIP.packet type') & packetTypeMask;
  const version = reader.u8('HIP.version') >>> 4;
  const checksum = reader.u16('HIP.checksum');
  const controls = reader.u16('HIP.controls');
  const sender = hitFromBytes(reader.bytes(hitLength, "HIP.sender's HIT"));
  const receiver = hitFromBytes(reader.bytes(hitLength, "HIP.receiver's HIT"));
  return {
    packetType,
    anonymous: (controls & anonymousBit) !== 0,
    sender,
    receiver,
    ...(nextHeader !== IpProtocol.NO_NEXT_HEADER && { nextHeader }),
    version,
    length,
    checksum,
  };
}

/**
 * Reads one packet. Binary fields are views into `octets`, which the packet keeps. What follows the packet is ignored.
 *
 * @param addresses of the IP header, over which the checksum counts; absent for a packet out of UDP (without its marker
 *   of four zeros), whose checksum has to be zero (RFC 9028 5.1)
 *
 * Throws `WireError('checksum')`, upon which nothing may be answered (RFC 7401 5.4.2), before any other fault but one
 * of length; `WireError('version')` at the octet to which an ICMP Parameter Problem has to point (RFC 7401 5.4.1).
 */
export function decodeHipPacket(octets: Uint8Array, addresses?: AddressPair): HipPacket {
  const { version, length, checksum, ...header } = decodeHipHeader(octets);
  const reader = new Reader(octets, hipHeaderLength);
  if (length > octets.length) {
    throw reader.failAt(lengthAt, 'truncated', 'HIP.header length', `${length} of ${octets.length} octets`);
  }
  const packet = octets.subarray(0, length);
  const wrong = addresses === undefined ? checksum : transportChecksum(addresses, IpProtocol.HIP, packet);
  if (wrong !== 0) throw reader.failAt(hipChecksumAt, 'checksum', 'HIP.checksum');
  if (version !== hipVersion) throw reader.failAt(versionAt, 'version', 'HIP.version', `${version}`);
  const parameters = decodeParameterList(new Reader(packet, hipHeaderLength));
  return { header, parameters, octets: packet };
}

/** The packet with a checksum of zero, as it goes into UDP, as MACs cover it, and as `writeHipChecksum` wants it. */
export function encodeHipPacket(packet: {
  readonly header: HipHeader;
  readonly parameters: readonly HipParameter[];
}): Uint8Array {
  const { packetType, anonymous, sender, receiver, nextHeader } = packet.header;
  const writer = new Writer(512);
  if (packetType > packetTypeMask) throw writer.fail('value', 'HIP.packet type', `${packetType}`);
  writer.u8(nextHeader ?? IpProtocol.NO_NEXT_HEADER, 'HIP.next header').u8(0, 'HIP.header length');
  writer.u8(packetType, 'HIP.packet type').u8(hipVersion * 16 + shim6Bit, 'HIP.version');
  writer.u16(0, 'HIP.checksum').u16(anonymous ? anonymousBit : 0, 'HIP.controls');
  writer.bytes(hitBytes(sender)).bytes(hitBytes(receiver));
  encodeParameterList(writer, packet.parameters);
  if (writer.length > hipPacketLengthMax)
    throw writer.fail('limit', 'HIP.header length', `${writer.length} octets`);
  writer.patchU8(lengthAt, writer.length / 8 - 1, 'HIP.header length');
  return writer.finish();
}

/** Walks over the parameters of a whole packet. */
export function hipParameterSpans(octets: Uint8Array): Generator<ParameterSpan, void, undefined> {
  const reader = new Reader(octets);
  reader.skip(hipHeaderLength, 'HIP.header');
  return parameterSpans(reader);
}

/** Adds parameters behind those of an encoded packet; their types must not be less than its last one's. */
export function appendHipParameters(octets: Uint8Array, parameters: readonly HipParameter[]): Uint8Array {
  const writer = new Writer(octets.length + 256);
  writer.bytes(octets);
  let last = 0;
  for (const { parameterType } of hipParameterSpans(octets)) last = parameterType;
  if (parameters.some((parameter) => hipParameterTypeOf(parameter) < last)) {
    throw writer.fail('value', 'parameter.type', `none less than ${last} may follow`);
  }
  encodeParameterList(writer, parameters);
  if (writer.length > hipPacketLengthMax)
    throw writer.fail('limit', 'HIP.header length', `${writer.length} octets`);
  writer.patchU8(lengthAt, writer.length / 8 - 1, 'HIP.header length');
  return writer.finish();
}

/** Computes the checksum of a whole packet in its place, for sending it right in IP (RFC 7401 5.1.1). */
export function writeHipChecksum(octets: Uint8Array, addresses: AddressPair): void {
  writeU16(octets, hipChecksumAt, 0);
  writeU16(octets, hipChecksumAt, transportChecksum(addresses, IpProtocol.HIP, octets));
}

/** Writes into the header how long the packet is; a multiple of eight octets. */
export function writeHipLength(octets: Uint8Array): void {
  if (octets.length > hipPacketLengthMax) throw new WireError('limit', lengthAt, 'HIP.header length');
  octets[lengthAt] = octets.length / 8 - 1;
}
