// Which flows speak IPv4 on this host: bounded, and those that are still spoken in are the last to be forgotten.

/** Two generations: what is not looked for while one fills up goes with the next. */
export class RecentFlows {
  readonly #max: number;
  #young = new Set<number>();
  #old = new Set<number>();

  /** @param max flows of one generation */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  has(key: number): boolean {
    if (this.#young.has(key)) return true;
    if (!this.#old.delete(key)) return false;
    this.add(key);
    return true;
  }

  add(key: number): void {
    if (this.#young.size >= this.#max) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(key);
  }

  delete(key: number): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
