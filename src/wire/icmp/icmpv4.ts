// ICMP for IPv4 (RFC 792), with the next-hop MTU of RFC 1191.
import { WireError } from '../error.ts';
import { internetChecksum } from '../ip/checksum.ts';
import { writeU16 } from '../octets.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { type IcmpQuote, quoteLengthField, readQuote, writeQuote } from './quote.ts';

/** RFC 792 */
export const Icmpv4Type = {
  ECHO_REPLY: 0,
  DESTINATION_UNREACHABLE: 3,
  ECHO_REQUEST: 8,
  TIME_EXCEEDED: 11,
  PARAMETER_PROBLEM: 12,
} as const;

/** Codes of Destination Unreachable: RFC 792, RFC 1812 5.2.7.1 */
export const Icmpv4Unreachable = {
  NETWORK: 0,
  HOST: 1,
  PROTOCOL: 2,
  PORT: 3,
  FRAGMENTATION_NEEDED: 4,
  ADMINISTRATIVELY_PROHIBITED: 13,
} as const;

export interface IcmpEcho {
  readonly kind: 'echo-request' | 'echo-reply';
  readonly identifier: number;
  readonly sequence: number;
  readonly data: Uint8Array;
}

/** A message of a type this codec does not take apart. */
export interface IcmpOther {
  readonly kind: 'other';
  readonly type: number;
  readonly code: number;
  /** Everything behind the checksum. */
  readonly body: Uint8Array;
}

export type Icmpv4Message =
  | IcmpEcho
  | IcmpOther
  | ({ readonly kind: 'destination-unreachable'; readonly code: number } & IcmpQuote)
  | ({
      /** Destination Unreachable, code 4. */
      readonly kind: 'fragmentation-needed';
      /** 0 from routers older than RFC 1191. */
      readonly nextHopMtu: number;
    } & IcmpQuote)
  | ({ readonly kind: 'time-exceeded'; readonly code: number } & IcmpQuote)
  | ({
      readonly kind: 'parameter-problem';
      readonly code: number;
      /** The offending octet of the quoted packet. */
      readonly pointer: number;
    } & IcmpQuote);

const known: readonly number[] = Object.values(Icmpv4Type);

/** Reads the payload of an IPv4 packet of protocol 1; octet fields are views. Throws `WireError`. */
export function decodeIcmpv4(octets: Uint8Array): Icmpv4Message {
  const reader = new Reader(octets);
  const type = reader.u8('ICMP.type');
  const code = reader.u8('ICMP.code');
  reader.skip(2, 'ICMP.checksum');
  if (internetChecksum(octets) !== 0) throw new WireError('checksum', 2, 'ICMP.checksum');
  switch (type) {
    case Icmpv4Type.ECHO_REQUEST:
    case Icmpv4Type.ECHO_REPLY:
      if (code !== 0) break;
      return {
        kind: type === Icmpv4Type.ECHO_REQUEST ? 'echo-request' : 'echo-reply',
        identifier: reader.u16('ICMP.identifier'),
        sequence: reader.u16('ICMP.sequenceNumber'),
        data: reader.rest(),
      };
    case Icmpv4Type.DESTINATION_UNREACHABLE: {
      reader.skip(1, 'ICMP.unused');
      const length = reader.u8('ICMP.length');
      const nextHopMtu = reader.u16('ICMP.nextHopMtu');
      const quote = readQuote(reader, length, 4);
      if (code === Icmpv4Unreachable.FRAGMENTATION_NEEDED) {
        return { kind: 'fragmentation-needed', nextHopMtu, ...quote };
      }
      return { kind: 'destination-unreachable', code, ...quote };
    }
    case Icmpv4Type.TIME_EXCEEDED: {
      reader.skip(1, 'ICMP.unused');
      const length = reader.u8('ICMP.length');
      reader.skip(2, 'ICMP.unused');
      return { kind: 'time-exceeded', code, ...readQuote(reader, length, 4) };
    }
    case Icmpv4Type.PARAMETER_PROBLEM: {
      const pointer = reader.u8('ICMP.pointer');
      const length = reader.u8('ICMP.length');
      reader.skip(2, 'ICMP.unused');
      return { kind: 'parameter-problem', code, pointer, ...readQuote(reader, length, 4) };
    }
  }
  return { kind: 'other', type, code, body: reader.rest() };
}

/** Writes the message with its checksum. Throws `WireError`. */
export function encodeIcmpv4(message: Icmpv4Message): Uint8Array {
  const writer = new Writer();
  writeMessage(writer, message);
  const octets = writer.finish();
  writeU16(octets, 2, internetChecksum(octets));
  return octets;
}

function writeHeader(writer: Writer, type: number, code: number): Writer {
  return writer.u8(type, 'ICMP.type').u8(code, 'ICMP.code').zeros(2);
}

function writeMessage(writer: Writer, message: Icmpv4Message): void {
  switch (message.kind) {
    case 'echo-request':
    case 'echo-reply':
      writeHeader(
        writer,
        message.kind === 'echo-request' ? Icmpv4Type.ECHO_REQUEST : Icmpv4Type.ECHO_REPLY,
        0,
      )
        .u16(message.identifier, 'ICMP.identifier')
        .u16(message.sequence, 'ICMP.sequenceNumber')
        .bytes(message.data);
      return;
    case 'destination-unreachable':
      if (message.code === Icmpv4Unreachable.FRAGMENTATION_NEEDED) {
        throw new WireError('value', 1, 'ICMP.code', 'fragmentation needed has a kind of its own');
      }
      writeHeader(writer, Icmpv4Type.DESTINATION_UNREACHABLE, message.code)
        .zeros(1)
        .u8(quoteLengthField(message, 4), 'ICMP.length')
        .zeros(2);
      break;
    case 'fragmentation-needed':
      writeHeader(writer, Icmpv4Type.DESTINATION_UNREACHABLE, Icmpv4Unreachable.FRAGMENTATION_NEEDED)
        .zeros(1)
        .u8(quoteLengthField(message, 4), 'ICMP.length')
        .u16(message.nextHopMtu, 'ICMP.nextHopMtu');
      break;
    case 'time-exceeded':
      writeHeader(writer, Icmpv4Type.TIME_EXCEEDED, message.code)
        .zeros(1)
        .u8(quoteLengthField(message, 4), 'ICMP.length')
        .zeros(2);
      break;
    case 'parameter-problem':
      writeHeader(writer, Icmpv4Type.PARAMETER_PROBLEM, message.code)
        .u8(message.pointer, 'ICMP.pointer')
        .u8(quoteLengthField(message, 4), 'ICMP.length')
        .zeros(2);
      break;
    case 'other': {
      const echo = message.type === Icmpv4Type.ECHO_REQUEST || message.type === Icmpv4Type.ECHO_REPLY;
      if (known.includes(message.type) && !(echo && message.code !== 0)) {
        throw new WireError('value', 0, 'ICMP.type', 'the type has a kind of its own');
      }
      writeHeader(writer, message.type, message.code).bytes(message.body);
      return;
    }
  }
  writeQuote(writer, message);
}
