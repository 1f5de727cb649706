// Evidence of packets that no SA matches, in bounded space (RFC 4303 3.4.2, RFC 4303 4 and RFC 4301 9 want them audited).
import { formatEndpoint, type UnknownSpiEvidence } from '#sa';

/**
 * Waiting evidence, oldest first; what repeats SPI and source of a waiting one is only counted. Whatever does not fit
 * is dropped and counted, so that a flood of random SPIs costs nothing but itself.
 */
export class UnknownSpiRing {
  readonly #capacity: number;
  readonly #waiting = new Map<string, UnknownSpiEvidence>();
  #dropped = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Packets that left no evidence because the ring was full. */
  get dropped(): number {
    return this.#dropped;
  }

  record(evidence: Omit<UnknownSpiEvidence, 'count'>): void {
    const key = `${evidence.protocol} ${evidence.spi} ${formatEndpoint(evidence.source)}`;
    const known = this.#waiting.get(key);
    if (known !== undefined) this.#waiting.set(key, { ...known, count: known.count + 1 });
    else if (this.#waiting.size < this.#capacity) this.#waiting.set(key, { ...evidence, count: 1 });
    else this.#dropped++;
  }

  take(): UnknownSpiEvidence | undefined {
    for (const [key, evidence] of this.#waiting) {
      this.#waiting.delete(key);
      return evidence;
    }
    return undefined;
  }
}
