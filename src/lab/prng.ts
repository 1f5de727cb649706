// The lab's dice: which fault befalls what. Not for keys: those come from a host's seeded randomness.

/** sfc32: 128 bits of state from a 32-bit seed and a label, so that two users of one seed draw independently. */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, label = '') {
    let mixed = seed >>> 0;
    for (let i = 0; i < label.length; i++) mixed = Math.imul(mixed ^ label.charCodeAt(i), 0x0100_0193) >>> 0;
    this.#a = seed >>> 0;
    this.#b = mixed;
    this.#c = Math.imul(mixed ^ 0x9e37_79b9, 0x85eb_ca6b) >>> 0;
    for (let i = 0; i < 12; i++) this.u32();
  }

  u32(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) >>> 0;
    this.#c = (this.#c + sum) >>> 0;
    return sum;
  }

  /** An integer from 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor((this.u32() / 2 ** 32) * bound);
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with this probability, 0 to 1. Draws nothing if the outcome is certain. */
  chance(probability: number): boolean {
    return probability > 0 && (probability >= 1 || this.u32() / 2 ** 32 < probability);
  }

  /** @throws RangeError if there is nothing to pick from */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.below(items.length)] as T;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }
}
