// SPIs for Child SAs: random, free, and never in the range IANA keeps (RFC 4303 2.1).
import type { Randomness } from '#crypto';
import { isNegotiableSpi, type Spi } from '#sa';

/** Draws SPIs and remembers which are taken. */
export class SpiAllocator {
  readonly #randomness: Randomness;
  readonly #taken = new Set<Spi>();

  constructor(randomness: Randomness) {
    this.#randomness = randomness;
  }

  get taken(): number {
    return this.#taken.size;
  }

  /** An SPI that nobody holds, unpredictable to a stranger. */
  allocate(): Spi {
    for (;;) {
      const bytes = this.#randomness.bytes(4);
      const spi = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
      if (!isNegotiableSpi(spi) || this.#taken.has(spi)) continue;
      this.#taken.add(spi);
      return spi;
    }
  }

  isTaken(spi: number): boolean {
    return this.#taken.has(spi as Spi);
  }

  release(spi: Spi): void {
    this.#taken.delete(spi);
  }
}
