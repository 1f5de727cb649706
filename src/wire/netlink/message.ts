// Netlink messages (struct nlmsghdr), of which a datagram of the kernel may hold several.
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';

export interface NetlinkMessage {
  /** Below 16 for every family alike (`NetlinkControlType`), else what the family says. */
  readonly type: number;
  /** Bits of `NetlinkFlag`. */
  readonly flags: number;
  /** Which request an answer belongs to; 0 in what nobody asked for. */
  readonly sequence: number;
  /** The socket that a message is for, or 0 for the kernel. */
  readonly portId: number;
  /** A fixed structure of the family's and its attributes. A view after decoding. */
  readonly payload: Uint8Array;
}

export const NetlinkControlType = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4 } as const;

/** Some bits mean one thing in a request that makes something and another in a request that asks. */
export const NetlinkFlag = {
  REQUEST: 0x1,
  /** Part of an answer that ends with DONE. */
  MULTI: 0x2,
  ACK: 0x4,
  ECHO: 0x8,
  /** What a dump tells changed meanwhile: ask again. */
  DUMP_INTERRUPTED: 0x10,
  /** To make something: in place of what is there. */
  REPLACE: 0x100,
  /** To make something: an error (EEXIST) if it is there. */
  EXCLUSIVE: 0x200,
  /** To make something: without it, it must be there. */
  CREATE: 0x400,
  /** To make something: at the end of a list. */
  APPEND: 0x800,
  /** To ask for everything. */
  DUMP: 0x300,
  /** In an answer: the request is quoted without its payload. */
  CAPPED: 0x100,
  /** In an answer: attributes tell more about the error. */
  ACK_ATTRIBUTES: 0x200,
} as const;

export const netlinkHeaderLength = 16;
const alignment = 4;

export function encodeNetlinkMessage(message: NetlinkMessage): Uint8Array {
  const writer = new Writer(netlinkHeaderLength + message.payload.length + alignment)
    .u32LittleEndian(netlinkHeaderLength + message.payload.length, 'nlmsghdr.length')
    .u16LittleEndian(message.type, 'nlmsghdr.type')
    .u16LittleEndian(message.flags, 'nlmsghdr.flags')
    .u32LittleEndian(message.sequence, 'nlmsghdr.sequence')
    .u32LittleEndian(message.portId, 'nlmsghdr.portId')
    .bytes(message.payload);
  alignNetlink(writer);
  return writer.finishAndWipe();
}

/** Reads all messages of one datagram, which has at least one. Throws `WireError`. */
export function decodeNetlinkMessages(octets: Uint8Array): NetlinkMessage[] {
  const reader = new Reader(octets);
  const messages: NetlinkMessage[] = [];
  do {
    messages.push(readNetlinkMessage(reader));
  } while (reader.remaining > 0);
  return messages;
}

function readNetlinkMessage(reader: Reader): NetlinkMessage {
  const at = reader.offset;
  const length = reader.u32LittleEndian('nlmsghdr.length');
  if (length < netlinkHeaderLength) throw reader.failAt(at, 'length', 'nlmsghdr.length');
  const type = reader.u16LittleEndian('nlmsghdr.type');
  const flags = reader.u16LittleEndian('nlmsghdr.flags');
  const sequence = reader.u32LittleEndian('nlmsghdr.sequence');
  const portId = reader.u32LittleEndian('nlmsghdr.portId');
  const payload = reader.bytes(length - netlinkHeaderLength, 'nlmsghdr.payload');
  skipNetlinkPadding(reader, length);
  return { type, flags, sequence, portId, payload };
}

/** After the last message or attribute the kernel may leave the padding out. */
export function skipNetlinkPadding(reader: Reader, length: number): void {
  reader.skip(Math.min(paddingOf(length), reader.remaining), 'padding');
}

/** Fills up to where the next message or attribute may begin. */
export function alignNetlink(writer: Writer): void {
  writer.zeros(paddingOf(writer.length));
}

function paddingOf(length: number): number {
  return (alignment - (length % alignment)) % alignment;
}
