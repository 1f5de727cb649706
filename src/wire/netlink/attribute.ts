// Netlink attributes (struct nlattr, struct rtattr): a type, a length, and octets that the type explains.

import { Reader } from '../reader.ts';
import { decodeUtf8, encodeUtf8 } from '../utf8.ts';
import { Writer } from '../writer.ts';
import { alignNetlink, skipNetlinkPadding } from './message.ts';

export interface NetlinkAttribute {
  /** Without the bits that say "nested" and "network byte order". */
  readonly type: number;
  /** A view after decoding; attributes again if the type is a nested one. */
  readonly payload: Uint8Array;
}

const headerLength = 4;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER; which types are nested, the family says anyway. */
const flagBits = 0xc000;
const nestedBit = 0x8000;

/** Reads everything: the octets of a nested attribute, or of a message after its structure. Throws `WireError`. */
export function decodeNetlinkAttributes(octets: Uint8Array): NetlinkAttribute[] {
  return readNetlinkAttributes(new Reader(octets));
}

/** Reads everything that is left, so that errors tell the place in the whole input. Throws `WireError`. */
export function readNetlinkAttributes(reader: Reader): NetlinkAttribute[] {
  const attributes: NetlinkAttribute[] = [];
  while (reader.remaining > 0) {
    const at = reader.offset;
    const length = reader.u16LittleEndian('nlattr.length');
    if (length < headerLength) throw reader.failAt(at, 'length', 'nlattr.length');
    const type = reader.u16LittleEndian('nlattr.type') & ~flagBits;
    const payload = reader.bytes(length - headerLength, 'nlattr.payload');
    skipNetlinkPadding(reader, length);
    attributes.push({ type, payload });
  }
  return attributes;
}

/** Writes one attribute, aligned. Throws `WireError('value')` if it does not fit. */
export function writeNetlinkAttribute(writer: Writer, type: number, payload: Uint8Array): void {
  writer
    .u16LittleEndian(headerLength + payload.length, 'nlattr.length')
    .u16LittleEndian(type, 'nlattr.type')
    .bytes(payload);
  alignNetlink(writer);
}

/** Writes an attribute of attributes. */
export function writeNestedNetlinkAttribute(
  writer: Writer,
  type: number,
  attributes: readonly NetlinkAttribute[],
): void {
  const inner = new Writer();
  for (const one of attributes) writeNetlinkAttribute(inner, one.type, one.payload);
  writeNetlinkAttribute(writer, type | nestedBit, inner.finish());
}

/** The payload of an attribute that is one number in host order. */
export function netlinkU32(value: number): Uint8Array {
  return new Writer(4).u32LittleEndian(value, 'nlattr.payload').finish();
}

/** The payload of an attribute that is text: it ends with a zero. */
export function netlinkText(text: string): Uint8Array {
  return new Writer().bytes(encodeUtf8(text)).u8(0, 'nlattr.payload').finish();
}

/** Reads a number in host order. Throws `WireError`. */
export function decodeNetlinkU32(payload: Uint8Array): number {
  return new Reader(payload).u32LittleEndian('nlattr.payload');
}

/** Reads text up to the first zero, or to its end. */
export function decodeNetlinkText(payload: Uint8Array): string {
  const end = payload.indexOf(0);
  return decodeUtf8(end < 0 ? payload : payload.subarray(0, end));
}
