// Strict, bounds-checked reading of DER (X.690 10). Every parser of certificates, lists and responses reads through it.
import { CryptoError } from '../error.ts';

/** The identifier octets this room meets. Context tags are `context(n)` and `contextConstructed(n)`. */
export const Tag = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OBJECT_IDENTIFIER: 0x06,
  ENUMERATED: 0x0a,
  UTF8_STRING: 0x0c,
  PRINTABLE_STRING: 0x13,
  TELETEX_STRING: 0x14,
  IA5_STRING: 0x16,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  UNIVERSAL_STRING: 0x1c,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

export const context = (number: number): number => 0x80 | number;
export const contextConstructed = (number: number): number => 0xa0 | number;

export interface Element {
  readonly tag: number;
  readonly contents: Uint8Array;
  /** Tag, length and contents. */
  readonly der: Uint8Array;
}

export function malformed(field: string, problem: string): CryptoError {
  return new CryptoError('bad-certificate', `${field}: ${problem}`);
}

/**
 * Reads the elements of one constructed value, in order. Anything that is not DER throws
 * `CryptoError('bad-certificate')`: there must be one encoding of a certificate, or two readers may see two.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  nextIs(tag: number): boolean {
    return this.#bytes[this.#offset] === tag;
  }

  /** The next element, whatever it is. */
  any(field: string): Element {
    const start = this.#offset;
    const tag = this.#octet(field);
    if ((tag & 0x1f) === 0x1f) throw malformed(field, 'tag number above 30');
    const length = this.#length(field);
    if (length > this.#bytes.length - this.#offset) throw malformed(field, 'truncated');
    const contents = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return { tag, contents, der: this.#bytes.subarray(start, this.#offset) };
  }

  element(tag: number, field: string): Element {
    const found = this.any(field);
    if (found.tag !== tag) {
      throw malformed(field, `tag 0x${found.tag.toString(16)} where 0x${tag.toString(16)} belongs`);
    }
    return found;
  }

  optional(tag: number, field: string): Element | undefined {
    return this.nextIs(tag) ? this.element(tag, field) : undefined;
  }

  /** A reader on the contents of the next element. */
  enter(tag: number, field: string): DerReader {
    return new DerReader(this.element(tag, field).contents);
  }

  sequence(field: string): DerReader {
    return this.enter(Tag.SEQUENCE, field);
  }

  boolean(field: string): boolean {
    return booleanOf(this.element(Tag.BOOLEAN, field).contents, field);
  }

  /** The two's complement octets of an INTEGER. */
  integer(field: string): Uint8Array {
    return integerOf(this.element(Tag.INTEGER, field).contents, field);
  }

  /** A non-negative INTEGER that fits 31 bits. */
  smallInteger(field: string): number {
    return smallIntegerOf(this.element(Tag.INTEGER, field).contents, field);
  }

  /** The octets of a BIT STRING without unused bits. */
  bitOctets(field: string): Uint8Array {
    const { contents } = this.element(Tag.BIT_STRING, field);
    if (contents.length === 0 || contents[0] !== 0) throw malformed(field, 'bit string of no whole octets');
    return contents.subarray(1);
  }

  objectIdentifier(field: string): string {
    return objectIdentifierText(this.element(Tag.OBJECT_IDENTIFIER, field).contents, field);
  }

  /** Refuses anything left over. */
  end(field: string): void {
    if (!this.atEnd) throw malformed(field, 'more octets than its fields');
  }

  #octet(field: string): number {
    const octet = this.#bytes[this.#offset];
    if (octet === undefined) throw malformed(field, 'truncated');
    this.#offset += 1;
    return octet;
  }

  #length(field: string): number {
    const first = this.#octet(field);
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw malformed(field, 'indefinite or oversized length');
    let length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + this.#octet(field);
    if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw malformed(field, 'length not minimal');
    return length;
  }
}

export function booleanOf(contents: Uint8Array, field: string): boolean {
  const [value] = contents;
  if (contents.length !== 1 || (value !== 0 && value !== 0xff)) throw malformed(field, 'not a DER boolean');
  return value === 0xff;
}

export function integerOf(contents: Uint8Array, field: string): Uint8Array {
  const [first, second] = contents;
  if (first === undefined) throw malformed(field, 'empty integer');
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw malformed(field, 'integer not minimal');
  }
  return contents;
}

export function smallIntegerOf(contents: Uint8Array, field: string): number {
  integerOf(contents, field);
  if (contents[0]! >= 0x80 || contents.length > 4) throw malformed(field, 'integer out of range');
  return contents.reduce((value, octet) => value * 256 + octet, 0);
}

/** Dotted decimal of an OBJECT IDENTIFIER's contents. */
export function objectIdentifierText(contents: Uint8Array, field: string): string {
  const arcs: number[] = [];
  let arc = 0;
  let fresh = true;
  for (const octet of contents) {
    if (fresh && octet === 0x80) throw malformed(field, 'object identifier not minimal');
    arc = arc * 128 + (octet & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw malformed(field, 'object identifier out of range');
    fresh = octet < 0x80;
    if (!fresh) continue;
    if (arcs.length === 0) {
      const root = Math.min(2, Math.floor(arc / 40));
      arcs.push(root, arc - 40 * root);
    } else {
      arcs.push(arc);
    }
    arc = 0;
  }
  if (!fresh || arcs.length === 0) throw malformed(field, 'object identifier truncated');
  return arcs.join('.');
}
