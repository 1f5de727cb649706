// What several packet threads count, summed up.

export type Verdicts = Readonly<Record<string, number>>;

interface Sum {
  readonly verdicts: Verdicts;
  readonly heapBytes: number;
}

export class Statistics {
  readonly #latest: Sum[];
  /** Of threads that are no more: whoever reads a sum would take it for begun anew if it fell. */
  #former: Verdicts = {};

  constructor(threads: number) {
    this.#latest = Array.from({ length: threads }, () => ({ verdicts: {}, heapBytes: 0 }));
  }

  /** What one thread tells of itself; what that makes of all. */
  of(thread: number, verdicts: Verdicts, heapBytes: number): Sum {
    this.#latest[thread] = { verdicts, heapBytes };
    return {
      verdicts: sumOf([this.#former, ...this.#latest.map((one) => one.verdicts)]),
      heapBytes: this.#latest.reduce((all, one) => all + one.heapBytes, 0),
    };
  }

  /** Another thread takes the place of this one, and counts from zero. */
  replaced(thread: number): void {
    this.#former = sumOf([this.#former, this.#latest[thread]!.verdicts]);
    this.#latest[thread] = { verdicts: {}, heapBytes: 0 };
  }
}

function sumOf(all: readonly Verdicts[]): Verdicts {
  const sum: Record<string, number> = {};
  for (const verdicts of all)
    for (const [name, count] of Object.entries(verdicts)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
