// What several packet threads count, summed up.

export type Verdicts = Readonly<Record<string, number>>;

interface OfThread {
  readonly verdicts: Verdicts;
  readonly heapBytes: number;
}

export class Statistics {
  readonly #latest: OfThread[];

  constructor(threads: number) {
    this.#latest = Array.from({ length: threads }, () => ({ verdicts: {}, heapBytes: 0 }));
  }

  /** What one thread tells of itself; what that makes of all. */
  of(thread: number, verdicts: Verdicts, heapBytes: number): OfThread {
    this.#latest[thread] = { verdicts, heapBytes };
    const sum: Record<string, number> = {};
    for (const one of this.#latest)
      for (const [name, count] of Object.entries(one.verdicts)) sum[name] = (sum[name] ?? 0) + count;
    return { verdicts: sum, heapBytes: this.#latest.reduce((all, one) => all + one.heapBytes, 0) };
  }
}
