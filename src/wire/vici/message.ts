// vici messages: trees of sections, lists and values, and their elements on the wire.
import { WireError } from '../error.ts';
import { Reader } from '../reader.ts';
import { decodeUtf8, encodeUtf8 } from '../utf8.ts';
import { Writer } from '../writer.ts';
import { viciDepthMax } from './limits.ts';

/**
 * A section, or a whole message. The protocol says that names are unique within a section; of repeated names the last
 * one stays.
 */
export interface ViciMessage {
  readonly [name: string]: ViciItem | readonly ViciItem[] | ViciMessage;
}

/** Octets that are text, which is UTF-8 without control characters but tab and line ends, or any other octets. */
export type ViciItem = string | Uint8Array;

const Element = {
  SECTION_START: 1,
  SECTION_END: 2,
  KEY_VALUE: 3,
  LIST_START: 4,
  LIST_ITEM: 5,
  LIST_END: 6,
} as const;

/** Throws `WireError`. Octets in the message are copies. */
export function decodeViciMessage(octets: Uint8Array): ViciMessage {
  return readViciMessage(new Reader(octets));
}

/** Writes a message without packet and frame. Throws `WireError`. */
export function encodeViciMessage(message: ViciMessage): Uint8Array {
  const writer = new Writer();
  writeViciMessage(writer, message);
  return writer.finish();
}

/** Reads everything that is left. */
export function readViciMessage(reader: Reader): ViciMessage {
  return readSection(reader, 0);
}

/** At depth 0 the section ends where the message does, elsewhere with its own end. */
function readSection(reader: Reader, depth: number): ViciMessage {
  if (depth > viciDepthMax) throw reader.fail('limit', 'section', `more than ${viciDepthMax} levels`);
  const entries: [string, ViciMessage[string]][] = [];
  for (;;) {
    if (depth === 0 && reader.remaining === 0) break;
    const at = reader.offset;
    const type = reader.u8('element.type');
    if (type === Element.SECTION_END && depth > 0) break;
    switch (type) {
      case Element.SECTION_START: {
        const name = readName(reader);
        entries.push([name, readSection(reader, depth + 1)]);
        break;
      }
      case Element.KEY_VALUE: {
        const name = readName(reader);
        entries.push([name, readItem(reader)]);
        break;
      }
      case Element.LIST_START: {
        const name = readName(reader);
        entries.push([name, readList(reader)]);
        break;
      }
      default:
        throw reader.failAt(at, 'value', 'element.type', `${type} is out of place`);
    }
  }
  // Unlike assignments, this makes `__proto__` a name like any other.
  return Object.fromEntries(entries);
}

function readList(reader: Reader): readonly ViciItem[] {
  const items: ViciItem[] = [];
  for (;;) {
    const at = reader.offset;
    const type = reader.u8('element.type');
    if (type === Element.LIST_END) return items;
    if (type !== Element.LIST_ITEM) {
      throw reader.failAt(at, 'value', 'element.type', `${type} is out of place in a list`);
    }
    items.push(readItem(reader));
  }
}

/** Of elements, and of packets. */
export function readName(reader: Reader): string {
  const at = reader.offset;
  const name = textOf(reader.bytes(reader.u8('name.length'), 'name'));
  if (name === undefined) throw reader.failAt(at, 'value', 'name', 'not text');
  return name;
}

function readItem(reader: Reader): ViciItem {
  const octets = reader.bytes(reader.u16('value.length'), 'value');
  return textOf(octets) ?? octets.slice();
}

function textOf(octets: Uint8Array): string | undefined {
  if (octets.some(isControlCharacter)) return undefined;
  const text = decodeUtf8(octets);
  return text.includes('\ufffd') ? undefined : text;
}

function isControlCharacter(octet: number): boolean {
  return (octet < 0x20 && octet !== 0x09 && octet !== 0x0a && octet !== 0x0d) || octet === 0x7f;
}

/** Throws `WireError`. */
export function writeViciMessage(writer: Writer, message: ViciMessage): void {
  writeEntries(writer, message, 0);
}

function writeEntries(writer: Writer, section: ViciMessage, depth: number): void {
  if (depth > viciDepthMax) throw writer.fail('limit', 'section', `more than ${viciDepthMax} levels`);
  for (const [name, value] of Object.entries(section)) {
    if (typeof value === 'string' || value instanceof Uint8Array) {
      writer.u8(Element.KEY_VALUE, 'element.type');
      writeName(writer, name);
      writeItem(writer, value);
    } else if (isList(value)) {
      writer.u8(Element.LIST_START, 'element.type');
      writeName(writer, name);
      for (const item of value) {
        writer.u8(Element.LIST_ITEM, 'element.type');
        writeItem(writer, item);
      }
      writer.u8(Element.LIST_END, 'element.type');
    } else {
      writer.u8(Element.SECTION_START, 'element.type');
      writeName(writer, name);
      writeEntries(writer, value, depth + 1);
      writer.u8(Element.SECTION_END, 'element.type');
    }
  }
}

function isList(value: readonly ViciItem[] | ViciMessage): value is readonly ViciItem[] {
  return Array.isArray(value);
}

export function writeName(writer: Writer, name: string): void {
  const octets = encodeUtf8(name);
  if (textOf(octets) === undefined) throw writer.fail('value', 'name', 'not text');
  writer.u8(octets.length, 'name.length').bytes(octets);
}

function writeItem(writer: Writer, item: ViciItem): void {
  const octets = typeof item === 'string' ? encodeUtf8(item) : item;
  writer.u16(octets.length, 'value.length').bytes(octets);
}

/** The octets of an item, whether they were text or not. */
export function octetsOfViciItem(item: ViciItem): Uint8Array {
  return typeof item === 'string' ? encodeUtf8(item) : item;
}

/** The text of a name in a section: `undefined` where there is none, or something else. */
export function viciText(section: ViciMessage, name: string): string | undefined {
  const value = Object.hasOwn(section, name) ? section[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** Throws `WireError('limit')`: for encoders of packets. */
export function requirePacketLength(length: number, max: number): void {
  if (length > max) throw new WireError('limit', 0, 'packet', `${length} octets, at most ${max}`);
}
