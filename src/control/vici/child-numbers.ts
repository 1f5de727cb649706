// Numbers of Child SAs as vici counts them: charon gives each generation a new one, while ours is that of the pair.
import type { ChildSaSummary } from '#engine';

export class ChildNumbers {
  readonly #numbers = new Map<string, { readonly number: number; readonly childId: number }>();
  #next = 1;

  of(child: ChildSaSummary): number {
    const key = keyOf(child);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known.number;
    const number = this.#next++;
    this.#numbers.set(key, { number, childId: child.childId });
    return number;
  }

  /** The pair that a number means. */
  childIdOf(number: number): number | undefined {
    for (const known of this.#numbers.values()) if (known.number === number) return known.childId;
    return undefined;
  }

  forget(child: ChildSaSummary): void {
    this.#numbers.delete(keyOf(child));
  }
}

function keyOf({ childId, inboundSpi }: ChildSaSummary): string {
  return `${childId} ${inboundSpi}`;
}
