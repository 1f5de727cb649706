// Virtual time: what happens when, in one order for one seed.

/** Something that will happen. */
export interface Occurrence {
  /** Virtual milliseconds. */
  readonly at: number;
  readonly run: () => void;
  /** Work outside virtual time whose result `run` needs; it is awaited before the clock moves on. */
  readonly ready?: Promise<void>;
}

interface Entry extends Occurrence {
  readonly order: number;
}

/** A binary heap of occurrences; those of one time happen in the order in which they were planned. */
export class EventQueue {
  readonly #heap: Entry[] = [];
  #nextOrder = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** When the next one happens. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at;
  }

  add(occurrence: Occurrence): void {
    const heap = this.#heap;
    const entry = { ...occurrence, order: this.#nextOrder++ };
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = entry;
  }

  take(): Occurrence | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
