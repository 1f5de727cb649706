// Growing writing with back-patched lengths, big-endian unless a name says otherwise. Every encoder of this room writes
// through it.
import { WireError } from './error.ts';

/** Collects network-order fields; a value that does not fit its field throws `WireError('value')`. */
export class Writer {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Octets written so far, which is also the offset of the next field. */
  get length(): number {
    return this.#length;
  }

  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  #check(value: number, max: number, field: string): void {
    if (!Number.isInteger(value) || value < 0 || value > max) {
      throw new WireError('value', this.#length, field, `${value} does not fit`);
    }
  }

  u8(value: number, field: string): this {
    this.#check(value, 0xff, field);
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number, field: string): this {
    this.#check(value, 0xffff, field);
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number, field: string): this {
    this.#check(value, 0xffff_ffff, field);
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
    return this;
  }

  u64(value: bigint, field: string): this {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
      throw new WireError('value', this.#length, field, `${value} does not fit`);
    }
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value);
    return this;
  }

  u16LittleEndian(value: number, field: string): this {
    this.#check(value, 0xffff, field);
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32LittleEndian(value: number, field: string): this {
    this.#check(value, 0xffff_ffff, field);
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64LittleEndian(value: bigint, field: string): this {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
      throw new WireError('value', this.#length, field, `${value} does not fit`);
    }
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, true);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  zeros(count: number): this {
    this.#grow(count);
    return this;
  }

  /** Overwrites a field written earlier, for lengths known only afterwards. */
  patchU16(at: number, value: number, field: string): void {
    this.#check(value, 0xffff, field);
    this.#view.setUint16(at, value);
  }

  patchU32(at: number, value: number, field: string): void {
    this.#check(value, 0xffff_ffff, field);
    this.#view.setUint32(at, value);
  }

  patchU8(at: number, value: number, field: string): void {
    this.#check(value, 0xff, field);
    this.#view.setUint8(at, value);
  }

  /** An error at the place where the next field would be written. */
  fail(code: WireError['code'], field: string, detail?: string): WireError {
    return new WireError(code, this.#length, field, detail);
  }

  /** The octets written, as a copy of their own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** The same of what has keys: no second copy of them stays here. Give enough capacity, for what was outgrown is left as it was. */
  finishAndWipe(): Uint8Array {
    const octets = this.finish();
    this.#bytes.fill(0, 0, this.#length);
    return octets;
  }
}
