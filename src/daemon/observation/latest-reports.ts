// The latest counters of each SA. An SA that is gone is told of once more after it went, so that nothing says when its entry can
// go: entries of SAs that do not live any more go when there are many of them, and when somebody looks.
import type { SaReport } from '#linux';
import type { SaCounters, SaDirection } from '#sa';

/** Both halves of a pair. */
export interface LivingPair {
  readonly inboundSpi: number;
  readonly outboundSpi: number;
}

const entriesMin = 64;

const keyOf = (direction: SaDirection, spi: number): string => `${direction} ${spi}`;

export class LatestReports {
  readonly #byKey = new Map<string, SaReport>();
  readonly #living: () => readonly LivingPair[];
  #forgetAbove = entriesMin;

  constructor(living: () => readonly LivingPair[]) {
    this.#living = living;
  }

  /** How many entries there are, those of the dead included. */
  get size(): number {
    return this.#byKey.size;
  }

  add(reports: readonly SaReport[]): void {
    for (const report of reports) this.#byKey.set(keyOf(report.direction, report.spi), report);
    if (this.#byKey.size <= this.#forgetAbove) return;
    this.#forgetDead();
    this.#forgetAbove = 2 * this.#byKey.size + entriesMin;
  }

  countersOf(direction: SaDirection, spi: number): SaCounters | undefined {
    return this.#byKey.get(keyOf(direction, spi))?.counters;
  }

  /** Of the SAs that live. */
  all(): readonly SaReport[] {
    this.#forgetDead();
    return [...this.#byKey.values()];
  }

  #forgetDead(): void {
    const living = new Set(
      this.#living().flatMap(({ inboundSpi, outboundSpi }) => [
        keyOf('inbound', inboundSpi),
        keyOf('outbound', outboundSpi),
      ]),
    );
    for (const key of this.#byKey.keys()) if (!living.has(key)) this.#byKey.delete(key);
  }
}
