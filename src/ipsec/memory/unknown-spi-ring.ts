// Evidence of packets that no SA matches, in bounded space and time: RFC 4303 3.4.2, RFC 4303 4 and RFC 4301 9 want it audited.
import { formatEndpoint, type UnknownSpiEvidence } from '#sa';

/** Cells that remember what was dropped. */
const cells = 4_096;

/**
 * Waiting evidence, oldest first; what repeats SPI and source of a waiting one is only counted. Whatever does not fit
 * is dropped and counted, and only so much is given out per second, so that a flood of random SPIs costs nothing but
 * itself. A peer that goes on using an SPI is not lost in it: what was dropped lately and comes again takes the place of
 * the newest that came once, and goes first.
 */
export class UnknownSpiRing {
  readonly #capacity: number;
  readonly #perSecondMax: number;
  readonly #waiting = new Map<string, UnknownSpiEvidence>();
  readonly #persistent = new Map<string, UnknownSpiEvidence>();
  /** Hashes of what was dropped. */
  readonly #droppedLately = new Uint32Array(cells);
  #at = Number.NEGATIVE_INFINITY;
  #allowance: number;
  #dropped = 0;

  /** @param perSecondMax evidence given out per second, after as much as waits at once */
  constructor(capacity: number, perSecondMax: number = Number.POSITIVE_INFINITY) {
    this.#capacity = capacity;
    this.#perSecondMax = perSecondMax;
    this.#allowance = capacity;
  }

  /** Packets that left no evidence because the ring was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Tells the time, in milliseconds. */
  advance(at: number): void {
    const sinceMs = at - this.#at;
    this.#at = at;
    if (sinceMs <= 0) return;
    this.#allowance = Math.min(this.#capacity, this.#allowance + (sinceMs * this.#perSecondMax) / 1000);
  }

  /**
   * Whether a packet would leave nothing: there is no room, and none with this hash was dropped lately. It is counted.
   * @param hash of what `record` compares, the same for both
   */
  dismisses(hash: number): boolean {
    if (this.#waiting.size + this.#persistent.size < this.#capacity) return false;
    const cell = hash % cells;
    if (this.#droppedLately[cell] === hash) return false;
    this.#droppedLately[cell] = hash;
    this.#dropped++;
    return true;
  }

  /** @param known a hash of protocol, SPI and source, if the caller has one */
  record(evidence: Omit<UnknownSpiEvidence, 'count' | 'mergedBytes'>, known?: number): void {
    const first = { ...evidence, count: 1, mergedBytes: evidence.lengthBytes };
    const key = `${evidence.protocol} ${evidence.spi} ${formatEndpoint(evidence.source)}`;
    for (const waiting of [this.#waiting, this.#persistent]) {
      const same = waiting.get(key);
      if (same === undefined) continue;
      const mergedBytes = same.mergedBytes + evidence.lengthBytes;
      waiting.set(key, { ...same, count: same.count + 1, mergedBytes });
      return;
    }
    if (this.#waiting.size + this.#persistent.size < this.#capacity) {
      this.#waiting.set(key, first);
      return;
    }
    const hash = known ?? hashOf(key);
    const cell = hash % cells;
    const again = this.#droppedLately[cell] === hash;
    this.#droppedLately[cell] = hash;
    // Half of the room stays for what comes for the first time.
    const newest =
      again && this.#persistent.size < this.#capacity / 2 ? [...this.#waiting].at(-1) : undefined;
    if (newest === undefined) {
      this.#dropped++;
      return;
    }
    this.#dropped += newest[1].count;
    this.#waiting.delete(newest[0]);
    this.#persistent.set(key, first);
  }

  take(): UnknownSpiEvidence | undefined {
    if (this.#allowance < 1) return undefined;
    for (const waiting of [this.#persistent, this.#waiting]) {
      for (const [key, evidence] of waiting) {
        waiting.delete(key);
        if (this.#perSecondMax !== Number.POSITIVE_INFINITY) this.#allowance--;
        return evidence;
      }
    }
    return undefined;
  }

  /** When `take` will give more; infinity if nothing waits. */
  get dueAt(): number {
    if (this.#waiting.size + this.#persistent.size === 0) return Number.POSITIVE_INFINITY;
    return this.#allowance >= 1 ? this.#at : this.#at + ((1 - this.#allowance) * 1000) / this.#perSecondMax;
  }
}

/** FNV-1a: what strangers know of it lets them take places that they could have had anyway. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash >>> 0;
}
