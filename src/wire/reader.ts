// Bounds-checked reading, big-endian unless a name says otherwise. Every decoder of this room reads through it, so none
// can over-read.
import { WireError } from './error.ts';

/** Reads network-order fields from a view; every read past the end throws `WireError('truncated')`. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    if (start < 0 || end > bytes.length || start > end) throw new WireError('length', start, 'view');
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
    return this.#view.getUint8(this.#take(1, field));
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#take(2, field));
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#take(4, field));
  }

  u64(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field));
  }

  u16LittleEndian(field: string): number {
    return this.#view.getUint16(this.#take(2, field), true);
  }

  u32LittleEndian(field: string): number {
    return this.#view.getUint32(this.#take(4, field), true);
  }

  u64LittleEndian(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field), true);
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
