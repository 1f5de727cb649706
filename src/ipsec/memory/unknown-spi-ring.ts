// Evidence of packets that no SA matches, in bounded space and time: RFC 4303 3.4.2, RFC 4303 4 and RFC 4301 9 want it audited.
import { formatEndpoint, type UnknownSpiEvidence } from '#sa';

/**
 * Waiting evidence, oldest first; what repeats SPI and source of a waiting one is only counted. Whatever does not fit
 * is dropped and counted, and only so much is given out per second, so that a flood of random SPIs costs nothing but
 * itself.
 */
export class UnknownSpiRing {
  readonly #capacity: number;
  readonly #perSecondMax: number;
  readonly #waiting = new Map<string, UnknownSpiEvidence>();
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

  record(evidence: Omit<UnknownSpiEvidence, 'count'>): void {
    const key = `${evidence.protocol} ${evidence.spi} ${formatEndpoint(evidence.source)}`;
    const known = this.#waiting.get(key);
    if (known !== undefined) this.#waiting.set(key, { ...known, count: known.count + 1 });
    else if (this.#waiting.size < this.#capacity) this.#waiting.set(key, { ...evidence, count: 1 });
    else this.#dropped++;
  }

  take(): UnknownSpiEvidence | undefined {
    if (this.#allowance < 1) return undefined;
    for (const [key, evidence] of this.#waiting) {
      this.#waiting.delete(key);
      if (this.#perSecondMax !== Number.POSITIVE_INFINITY) this.#allowance--;
      return evidence;
    }
    return undefined;
  }

  /** When `take` will give more; infinity if nothing waits. */
  get dueAt(): number {
    if (this.#waiting.size === 0) return Number.POSITIVE_INFINITY;
    return this.#allowance >= 1 ? this.#at : this.#at + ((1 - this.#allowance) * 1000) / this.#perSecondMax;
  }
}
