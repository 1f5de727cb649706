// Inbound SAs by SPI: an open table whose keys lie side by side, so that finding one SA among a million, or none, costs
// little more than a look at one line of memory.

const sizeMin = 16;
/** SPI 0 never is an SA's (RFC 4303 2.1). */
const free = 0;

/** Half of the places at least are free, so that runs of taken ones stay short. SPIs are random: no hash could be attacked. */
export class SpiTable<T> {
  #keys = new Int32Array(sizeMin);
  /** In the same places, so that key and value are fetched at once. */
  #values = new Array<T | undefined>(sizeMin).fill(undefined);
  /** Of a hash to the bits that tell the place. */
  #shift = 28;
  #count = 0;

  get size(): number {
    return this.#count;
  }

  get(spi: number): T | undefined {
    const keys = this.#keys;
    const key = spi | 0;
    const mask = keys.length - 1;
    let at = Math.imul(key, 0x9e37_79b1) >>> this.#shift;
    for (let known = keys[at]!; known !== free; known = keys[at]!) {
      if (known === key) return this.#values[at];
      at = (at + 1) & mask;
    }
    return undefined;
  }

  /** @param spi not 0, and not in the table */
  add(spi: number, value: T): void {
    if (2 * (this.#count + 1) > this.#keys.length) this.#resize(2 * this.#keys.length);
    this.#insert(spi | 0, value);
    this.#count++;
  }

  /** False if there was none. */
  delete(spi: number): boolean {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let hole = this.#home(spi | 0);
    while (keys[hole] !== (spi | 0)) {
      if (keys[hole] === free) return false;
      hole = (hole + 1) & mask;
    }
    // Whatever could not have its home because of this one moves up, so that no run is broken.
    for (let at = (hole + 1) & mask; keys[at] !== free; at = (at + 1) & mask) {
      const away = (at - this.#home(keys[at]!)) & mask;
      if (away < ((at - hole) & mask)) continue;
      keys[hole] = keys[at]!;
      this.#values[hole] = this.#values[at];
      hole = at;
    }
    keys[hole] = free;
    this.#values[hole] = undefined;
    this.#count--;
    if (keys.length > sizeMin && 8 * this.#count < keys.length) this.#resize(keys.length / 2);
    return true;
  }

  *values(): Iterable<T> {
    for (const value of this.#values) if (value !== undefined) yield value;
  }

  #home(key: number): number {
    return Math.imul(key, 0x9e37_79b1) >>> this.#shift;
  }

  #insert(key: number, value: T): void {
    let at = this.#home(key);
    while (this.#keys[at] !== free) at = (at + 1) & (this.#keys.length - 1);
    this.#keys[at] = key;
    this.#values[at] = value;
  }

  #resize(size: number): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new Int32Array(size);
    this.#values = new Array<T | undefined>(size).fill(undefined);
    this.#shift = 32 - Math.log2(size);
    for (const [at, key] of keys.entries()) if (key !== free) this.#insert(key, values[at]!);
  }
}
