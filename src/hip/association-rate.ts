// How often a peer, or whoever has recorded one, can have us do what costs us more than him.

/** So many at once: two for each address of a peer that is kept. */
const burst = 16;
const perSecond = 2;

/** Of one association, and one kind of cost. */
export class AssociationRate {
  #tokens = burst;
  #at = 0;

  take(at: number): boolean {
    this.#tokens = Math.min(burst, this.#tokens + ((at - this.#at) / 1_000) * perSecond);
    this.#at = at;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
