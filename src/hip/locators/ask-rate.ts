// How often a peer can have us write to addresses that may be somebody else's (RFC 8046 6.2.1).

/** So many at once: two for each address that is kept. */
const burst = 16;
const perSecond = 2;

/** Of one association. */
export class AskRate {
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
