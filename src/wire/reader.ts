// Bounds-checked reading, big-endian unless a name says otherwise. Every decoder of this room reads through it, so none
// can over-read.
import { WireError } from './error.ts';
import { readU16, readU32 } from './octets.ts';

/** Reads network-order fields from a view; every read past the end throws `WireError('truncated')`. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    if (start < 0 || end > bytes.length || start > end) throw new WireError('length', start, 'view');
    this.#bytes = bytes;
    this.#offset = start;
    this.#end = end;
  }

  /** Octets from the start of the underlying input, for error reports. */
  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  #take(count: number, field: string): number {
    if (count > this.remaining) throw new WireError('truncated', this.#offset, field);
    const at = this.#offset;
    this.#offset += count;
    return at;
  }

  u8(field: string): number {
    return this.#bytes[this.#take(1, field)]!;
  }

  u16(field: string): number {
    return readU16(this.#bytes, this.#take(2, field));
  }

  u32(field: string): number {
    return readU32(this.#bytes, this.#take(4, field));
  }

  u64(field: string): bigint {
    return this.#viewOf(8, field).getBigUint64(0);
  }

  u16LittleEndian(field: string): number {
    const at = this.#take(2, field);
    return this.#bytes[at]! | (this.#bytes[at + 1]! << 8);
  }

  u32LittleEndian(field: string): number {
    const at = this.#take(4, field);
    const low = this.#bytes[at]! | (this.#bytes[at + 1]! << 8);
    const high = this.#bytes[at + 2]! | (this.#bytes[at + 3]! << 8);
    return high * 0x1_0000 + low;
  }

  u64LittleEndian(field: string): bigint {
    return this.#viewOf(8, field).getBigUint64(0, true);
  }

  /** Made where it is needed: most readers are there for a few octets. */
  #viewOf(count: number, field: string): DataView {
    const { buffer, byteOffset } = this.bytes(count, field);
    return new DataView(buffer, byteOffset, count);
  }

  /** A view on the next `count` octets: not a copy. */
  bytes(count: number, field: string): Uint8Array {
    const at = this.#take(count, field);
    return this.#bytes.subarray(at, at + count);
  }

  /** A view on everything left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining, 'rest');
  }

  /** A reader confined to the next `count` octets, which this reader skips. Offsets stay those of the whole input. */
  sub(count: number, field: string): Reader {
    const at = this.#take(count, field);
    return new Reader(this.#bytes, at, at + count);
  }

  skip(count: number, field: string): void {
    this.#take(count, field);
  }

  /** Throws `WireError('trailing')` unless everything was read. */
  end(field: string): void {
    if (this.remaining !== 0) throw new WireError('trailing', this.#offset, field);
  }

  /** An error at the next field. */
  fail(code: WireError['code'], field: string, detail?: string): WireError {
    return new WireError(code, this.#offset, field, detail);
  }

  /** An error at a field read earlier. */
  failAt(offset: number, code: WireError['code'], field: string, detail?: string): WireError {
    return new WireError(code, offset, field, detail);
  }
}
