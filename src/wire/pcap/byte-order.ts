// Fields in the byte order of the machine that wrote a capture file, which the file's magic number tells.

/** Reads at an offset that the caller has checked. */
export class OrderedView {
  readonly octets: Uint8Array;
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  constructor(octets: Uint8Array, littleEndian: boolean) {
    this.octets = octets;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    this.#littleEndian = littleEndian;
  }

  get length(): number {
    return this.octets.length;
  }

  u16(offset: number): number {
    return this.#view.getUint16(offset, this.#littleEndian);
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, this.#littleEndian);
  }

  i64(offset: number): bigint {
    return this.#view.getBigInt64(offset, this.#littleEndian);
  }
}
