// Named counters of packets, which are told together when one of them has moved.

/** A counter that only grows. */
export type PacketCounter = readonly [name: string, read: () => number];

export class PacketCounters {
  readonly #counters: readonly PacketCounter[];

  constructor(counters: readonly PacketCounter[]) {
    this.#counters = counters;
  }

  /** As long as it stands, none of them has moved. */
  get sum(): number {
    let sum = 0;
    for (const [, read] of this.#counters) sum += read();
    return sum;
  }

  byName(): Record<string, number> {
    return Object.fromEntries(this.#counters.map(([name, read]) => [name, read()]));
  }
}
