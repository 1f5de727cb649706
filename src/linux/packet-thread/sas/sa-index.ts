// SAs by the pair that they belong to, as commands name them.
import type { SaName } from '#sa';

/** Follows the commands that a data plane has carried out. */
export class SaIndex<Sa extends SaName> {
  /** In the order of their installation. */
  readonly #all = new Set<Sa>();
  readonly #pairs = new Map<number, Set<Sa>>();

  get size(): number {
    return this.#all.size;
  }

  /** In the order of their installation. */
  values(): IterableIterator<Sa> {
    return this.#all.values();
  }

  hasPair(childId: number): boolean {
    return this.#pairs.has(childId);
  }

  /** Those of one pair, oldest first. */
  pair(childId: number): readonly Sa[] {
    return [...(this.#pairs.get(childId) ?? [])];
  }

  add(sa: Sa): void {
    this.#all.add(sa);
    const pair = this.#pairs.get(sa.childId);
    if (pair === undefined) this.#pairs.set(sa.childId, new Set([sa]));
    else pair.add(sa);
  }

  find({ protocol, direction, spi, childId }: SaName): Sa | undefined {
    for (const sa of this.#pairs.get(childId) ?? [])
      if (sa.spi === spi && sa.direction === direction && sa.protocol === protocol) return sa;
    return undefined;
  }

  /** The SA that is gone by this. */
  remove(name: SaName): Sa | undefined {
    const sa = this.find(name);
    if (sa === undefined) return undefined;
    this.#all.delete(sa);
    const pair = this.#pairs.get(sa.childId);
    pair?.delete(sa);
    if (pair?.size === 0) this.#pairs.delete(sa.childId);
    return sa;
  }

  clear(): void {
    this.#all.clear();
    this.#pairs.clear();
  }
}
