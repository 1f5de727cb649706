// A table of limited size that gives up what was busy least.

/** Of this many oldest entries the lightest is given up, so that making room costs the same at any size. */
const candidates = 16;

export class BoundedTable<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  readonly #max: number;
  readonly #weight: (value: Value) => number;
  readonly #givenUp: (value: Value, key: Key) => void;
  /** How many were given up. */
  leftOut = 0;

  constructor(
    max: number,
    weight: (value: Value) => number,
    givenUp: (value: Value, key: Key) => void = () => undefined,
  ) {
    this.#max = max;
    this.#weight = weight;
    this.#givenUp = givenUp;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: Key, value: Value): void {
    if (!this.#entries.has(key) && this.#entries.size >= this.#max) this.#makeRoom();
    this.#entries.set(key, value);
  }

  values(): IterableIterator<Value> {
    return this.#entries.values();
  }

  #makeRoom(): void {
    let lightest: [Key, Value] | undefined;
    const seen: [Key, Value][] = [];
    for (const entry of this.#entries) {
      if (lightest === undefined || this.#weight(entry[1]) < this.#weight(lightest[1])) lightest = entry;
      seen.push(entry);
      if (seen.length === candidates) break;
    }
    if (lightest === undefined) return;
    this.#entries.delete(lightest[0]);
    this.leftOut++;
    this.#givenUp(lightest[1], lightest[0]);
    // The others go to the end: busy entries must not shield the light ones behind them.
    for (const [key, value] of seen) {
      if (key === lightest[0]) continue;
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
  }
}
