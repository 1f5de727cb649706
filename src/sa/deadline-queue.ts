// Which of many timers is next: a binary heap in which a timer may be moved or dropped at any time.

interface Entry {
  readonly key: string;
  readonly at: number;
}

/** Deadlines by key, in milliseconds of their owner's clock. Setting and popping cost O(log n). */
export class DeadlineQueue {
  readonly #current = new Map<string, number>();
  #heap: Entry[] = [];

  get size(): number {
    return this.#current.size;
  }

  /** Sets, moves or (with `undefined`) drops the deadline of `key`. */
  set(key: string, at: number | undefined): void {
    if (this.#current.get(key) === at) return;
    if (at === undefined) {
      this.#current.delete(key);
    } else {
      this.#current.set(key, at);
      this.#push({ key, at });
    }
    // Moved timers leave their old entries behind; a heap of mostly such entries is built anew.
    if (this.#heap.length > 64 && this.#heap.length > 4 * this.#current.size) this.#rebuild();
  }

  at(key: string): number | undefined {
    return this.#current.get(key);
  }

  /** The earliest deadline. */
  next(): number | undefined {
    this.#dropStale();
    return this.#heap[0]?.at;
  }

  /** Takes the earliest key that is due at `now`; its deadline is gone afterwards. */
  takeDue(now: number): string | undefined {
    this.#dropStale();
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    this.#popFirst();
    this.#current.delete(first.key);
    return first.key;
  }

  #dropStale(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#current.get(first.key) === first.at) return;
      this.#popFirst();
    }
  }

  #rebuild(): void {
    this.#heap = [];
    for (const [key, at] of this.#current) this.#push({ key, at });
  }

  // Ties are broken by key so that one seed always gives one order.
  #before(a: Entry, b: Entry): boolean {
    return a.at < b.at || (a.at === b.at && a.key < b.key);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#before(entry, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = entry;
  }

  #popFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}
