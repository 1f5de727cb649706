// SPIs for Child SAs: random, free, inside our lease, and never in the range IANA keeps (RFC 4303 2.1).
import type { Randomness } from '#crypto';
import { isNegotiableSpi, type Spi } from '#sa';
import { type IkeSpi, ikeSpiFromBytes } from '#wire';

/**
 * A wished-for group is given up after so many draws: other daemons may have claimed all of it, and an SPI of another group
 * is one that works.
 */
const wishedDrawsMax = 64;
/** How many SPIs begin with the same octet. */
const blockSpis = 2 ** 24;

/** Draws SPIs and remembers which are taken. */
export class SpiAllocator {
  readonly #randomness: Randomness;
  readonly #groups: number;
  readonly #taken = new Set<Spi>();
  #lease: readonly number[] | undefined;

  /** @param groups into how many an SPI's remainder parts them, at most 65,536; 1: there is one */
  constructor(randomness: Randomness, groups = 1) {
    if (!Number.isInteger(groups) || groups < 1 || groups > 65_536)
      throw new Error(`${groups} groups of SPIs`);
    this.#randomness = randomness;
    this.#groups = groups;
  }

  get taken(): number {
    return this.#taken.size;
  }

  /** First octets of what is drawn from now on, of IKE SPIs as well; `undefined`: anything. */
  set lease(blocks: readonly number[] | undefined) {
    if (blocks?.length === 0) throw new Error('a lease holds at least one block');
    this.#lease = blocks;
  }

  /**
   * An SPI that nobody holds, unpredictable to a stranger.
   * @param isForeign whether another daemon of this host claims it
   * @param like of the same group as this one, as long as that can be had
   */
  allocate(isForeign: (spi: number) => boolean, like?: Spi): Spi {
    for (let draws = 0; ; draws++) {
      const bytes = this.#draw(4);
      const drawn = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
      const spi = like === undefined || draws >= wishedDrawsMax ? drawn : this.#nearestLike(drawn, like);
      if (!isNegotiableSpi(spi) || this.#taken.has(spi) || isForeign(spi)) continue;
      this.#taken.add(spi);
      return spi;
    }
  }

  /**
   * Of the group of `like` and in the block of `drawn`. Each of the group is the nearest of as many draws, but for those at the
   * ends of a block: it is as hard to guess as a draw of its group alone.
   */
  #nearestLike(drawn: number, like: Spi): number {
    const groups = this.#groups;
    const above = drawn + (((like % groups) + groups - (drawn % groups)) % groups);
    return Math.floor(above / blockSpis) === drawn >>> 24 ? above : above - groups;
  }

  /** Eight octets that may be anybody's or zero. */
  drawIkeSpi(): IkeSpi {
    return ikeSpiFromBytes(this.#draw(8));
  }

  #draw(count: number): Uint8Array {
    const bytes = this.#randomness.bytes(count);
    const lease = this.#lease;
    if (lease === undefined) return bytes;
    const choice = this.#randomness.bytes(4);
    const drawn = new DataView(choice.buffer, choice.byteOffset, 4).getUint32(0);
    return Uint8Array.of(lease[drawn % lease.length]!, ...bytes.subarray(1));
  }

  /** One that an earlier run of this host drew, and that is free. */
  reserve(spi: Spi): void {
    this.#taken.add(spi);
  }

  isTaken(spi: number): boolean {
    return this.#taken.has(spi as Spi);
  }

  /** Taken before the lease was ours: they must be claimed one by one. */
  outsideLease(): readonly Spi[] {
    const lease = this.#lease;
    return lease === undefined ? [] : [...this.#taken].filter((spi) => !lease.includes(spi >>> 24));
  }

  release(spi: Spi): void {
    this.#taken.delete(spi);
  }
}
