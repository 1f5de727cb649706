// ICMPv6 (RFC 4443); Neighbor Discovery and all else are left as opaque messages.
import { WireError } from '../error.ts';
import { type AddressPair, transportChecksum } from '../ip/checksum.ts';
import { IpProtocol } from '../ip/protocol.ts';
import { writeU16 } from '../octets.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import type { IcmpEcho, IcmpOther } from './icmpv4.ts';
import { type IcmpQuote, quoteLengthField, readQuote, writeQuote } from './quote.ts';

/** RFC 4443 2.1 */
export const Icmpv6Type = {
  DESTINATION_UNREACHABLE: 1,
  PACKET_TOO_BIG: 2,
  TIME_EXCEEDED: 3,
  PARAMETER_PROBLEM: 4,
  ECHO_REQUEST: 128,
  ECHO_REPLY: 129,
} as const;

/** Codes of Destination Unreachable, RFC 4443 3.1 */
export const Icmpv6Unreachable = {
  NO_ROUTE: 0,
  ADMINISTRATIVELY_PROHIBITED: 1,
  BEYOND_SCOPE: 2,
  ADDRESS: 3,
  PORT: 4,
} as const;

export type Icmpv6Message =
  | IcmpEcho
  | IcmpOther
  | ({ readonly kind: 'destination-unreachable'; readonly code: number } & IcmpQuote)
  | {
      readonly kind: 'packet-too-big';
      readonly code: number;
      readonly mtu: number;
      readonly quoted: Uint8Array;
    }
  | ({ readonly kind: 'time-exceeded'; readonly code: number } & IcmpQuote)
  | {
      readonly kind: 'parameter-problem';
      readonly code: number;
      /** The offending octet of the packet, which may lie beyond what is quoted. */
      readonly pointer: number;
      readonly quoted: Uint8Array;
    };

const known: readonly number[] = Object.values(Icmpv6Type);

/** Reads the payload of an IPv6 packet of protocol 58; octet fields are views. Throws `WireError`. */
export function decodeIcmpv6(octets: Uint8Array, addresses: AddressPair): Icmpv6Message {
  const reader = new Reader(octets);
  const type = reader.u8('ICMPv6.type');
  const code = reader.u8('ICMPv6.code');
  reader.skip(2, 'ICMPv6.checksum');
  if (transportChecksum(addresses, IpProtocol.ICMPV6, octets) !== 0) {
    throw new WireError('checksum', 2, 'ICMPv6.checksum');
  }
  switch (type) {
    case Icmpv6Type.ECHO_REQUEST:
    case Icmpv6Type.ECHO_REPLY:
      if (code !== 0) break;
      return {
        kind: type === Icmpv6Type.ECHO_REQUEST ? 'echo-request' : 'echo-reply',
        identifier: reader.u16('ICMPv6.identifier'),
        sequence: reader.u16('ICMPv6.sequenceNumber'),
        data: reader.rest(),
      };
    case Icmpv6Type.DESTINATION_UNREACHABLE:
    case Icmpv6Type.TIME_EXCEEDED: {
      const length = reader.u8('ICMPv6.length');
      reader.skip(3, 'ICMPv6.unused');
      const kind = type === Icmpv6Type.TIME_EXCEEDED ? 'time-exceeded' : 'destination-unreachable';
      return { kind, code, ...readQuote(reader, length, 8) };
    }
    case Icmpv6Type.PACKET_TOO_BIG:
      return { kind: 'packet-too-big', code, mtu: reader.u32('ICMPv6.MTU'), quoted: reader.rest() };
    case Icmpv6Type.PARAMETER_PROBLEM:
      return {
        kind: 'parameter-problem',
        code,
        pointer: reader.u32('ICMPv6.pointer'),
        quoted: reader.rest(),
      };
  }
  return { kind: 'other', type, code, body: reader.rest() };
}

/** Writes the message with its checksum. Throws `WireError`. */
export function encodeIcmpv6(message: Icmpv6Message, addresses: AddressPair): Uint8Array {
  const writer = new Writer();
  writeMessage(writer, message);
  const octets = writer.finish();
  writeU16(octets, 2, transportChecksum(addresses, IpProtocol.ICMPV6, octets));
  return octets;
}

function writeHeader(writer: Writer, type: number, code: number): Writer {
  return writer.u8(type, 'ICMPv6.type').u8(code, 'ICMPv6.code').zeros(2);
}

function writeMessage(writer: Writer, message: Icmpv6Message): void {
  switch (message.kind) {
    case 'echo-request':
    case 'echo-reply':
      writeHeader(
        writer,
        message.kind === 'echo-request' ? Icmpv6Type.ECHO_REQUEST : Icmpv6Type.ECHO_REPLY,
        0,
      )
        .u16(message.identifier, 'ICMPv6.identifier')
        .u16(message.sequence, 'ICMPv6.sequenceNumber')
        .bytes(message.data);
      return;
    case 'destination-unreachable':
    case 'time-exceeded':
      writeHeader(
        writer,
        message.kind === 'time-exceeded' ? Icmpv6Type.TIME_EXCEEDED : Icmpv6Type.DESTINATION_UNREACHABLE,
        message.code,
      )
        .u8(quoteLengthField(message, 8), 'ICMPv6.length')
        .zeros(3);
      writeQuote(writer, message);
      return;
    case 'packet-too-big':
      writeHeader(writer, Icmpv6Type.PACKET_TOO_BIG, message.code)
        .u32(message.mtu, 'ICMPv6.MTU')
        .bytes(message.quoted);
      return;
    case 'parameter-problem':
      writeHeader(writer, Icmpv6Type.PARAMETER_PROBLEM, message.code)
        .u32(message.pointer, 'ICMPv6.pointer')
        .bytes(message.quoted);
      return;
    case 'other': {
      const echo = message.type === Icmpv6Type.ECHO_REQUEST || message.type === Icmpv6Type.ECHO_REPLY;
      if (known.includes(message.type) && !(echo && message.code !== 0)) {
        throw new WireError('value', 0, 'ICMPv6.type', 'the type has a kind of its own');
      }
      writeHeader(writer, message.type, message.code).bytes(message.body);
    }
  }
}
