// A limit on how often something happens: a burst at once, then a steady rate.

/** Tokens refill continuously at `perSecond` up to `burst`. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number | undefined;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes a token if there is one. `at`: monotonic milliseconds. */
  take(at: number): boolean {
    const elapsedMs = at - (this.#filledAt ?? at);
    this.#filledAt = at;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#perSecond) / 1000);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
