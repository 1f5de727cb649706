// Randomness drawn in advance: a call of OpenSSL's generator costs the same for 16 octets as for some hundred.
import { randomFillSync } from 'node:crypto';

const poolBytes = 4_096;
/** What is longer is drawn by itself. */
const pooledBytesMax = 256;

/** Gives each octet of the pool once, and keeps none that it gave. */
export class RandomPool {
  readonly #fill: (octets: Uint8Array) => void;
  readonly #pool = new Uint8Array(poolBytes);
  #next = poolBytes;

  constructor(fill: (octets: Uint8Array) => void = (octets) => void randomFillSync(octets)) {
    this.#fill = fill;
  }

  bytes(count: number): Uint8Array {
    if (count > pooledBytesMax) {
      const octets = new Uint8Array(count);
      this.#fill(octets);
      return octets;
    }
    if (this.#next + count > poolBytes) {
      this.#fill(this.#pool);
      this.#next = 0;
    }
    const from = this.#next;
    this.#next += count;
    const octets = this.#pool.slice(from, this.#next);
    this.#pool.fill(0, from, this.#next);
    return octets;
  }
}
