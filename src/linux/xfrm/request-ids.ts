// How SAs and policies of ours are told from those of other key managers in the kernel, also by the process after us.
import type { XfrmState } from '#wire';

/**
 * A request ID ties policies to SAs. Ours begin with a bit that people and other daemons do not reach by counting, then 13
 * bits of the owner's name, then the number of the pair.
 */
const ownBit = 0x8000_0000;
const numberBits = 18;
const numberMax = 2 ** numberBits - 1;
const tagMask = (0x7fff_ffff >>> numberBits) << numberBits;

/** FNV-1a: names are no secrets, and nobody gains by making two alike. */
function hashOf(name: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x0100_0193);
  return hash >>> 0;
}

/** Numbers of the pairs of one owner. */
export class RequestIds {
  readonly #base: number;
  /**
   * Stands in the sequence field of our SAs, which answers to no acquire then: the kernel counts those from 1. It tells
   * owners apart whose 13 bits are the same.
   */
  readonly stateTag: number;
  readonly #taken = new Set<number>();
  #last = 0;

  /** @param ownerName the same at each start of this daemon, and no other's of this network namespace */
  constructor(ownerName: string) {
    const hash = hashOf(ownerName);
    this.#base = (ownBit | (hash & tagMask)) >>> 0;
    this.stateTag = (hash | ownBit) >>> 0;
  }

  /** A number that no pair has. */
  take(): number {
    if (this.#taken.size >= numberMax) throw new RangeError('no request ID is free');
    do {
      this.#last = this.#last >= numberMax ? 1 : this.#last + 1;
    } while (this.#taken.has(this.#last));
    this.#taken.add(this.#last);
    return (this.#base | this.#last) >>> 0;
  }

  /** One that an earlier process took. */
  keep(requestId: number): void {
    this.#taken.add(requestId & numberMax);
  }

  give(requestId: number): void {
    this.#taken.delete(requestId & numberMax);
  }

  isOurs(requestId: number): boolean {
    return (requestId & ~numberMax) >>> 0 === this.#base;
  }

  /** What the kernel made because traffic asked for an SA of ours: it counts such from 1. */
  isLarval({ requestId, sequence }: XfrmState): boolean {
    return this.isOurs(requestId) && sequence < ownBit;
  }

  isOurState({ requestId, sequence }: XfrmState): boolean {
    return this.isOurs(requestId) && sequence === this.stateTag;
  }
}
