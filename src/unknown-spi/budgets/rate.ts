// A limit on how often something happens: a burst at once, then a steady rate. Taking is separate from looking, so that
// several limits can be asked before any is charged.
import type { ReplyRate } from '../verdict/policy.ts';

/** Tokens refill continuously. A bucket that never was used is full. */
export class RateBucket {
  #tokens: number;
  #filledAt: number;

  constructor(rate: ReplyRate, at: number) {
    this.#tokens = rate.burst;
    this.#filledAt = at;
  }

  /** Tokens that are there now; looking changes nothing. */
  level(at: number, rate: ReplyRate): number {
    const elapsedMs = Math.max(0, at - this.#filledAt);
    return Math.min(rate.burst, this.#tokens + (elapsedMs * rate.perSecond) / 1000);
  }

  /** The rate may change between calls, as it does at the end of the window after a boot. */
  has(at: number, rate: ReplyRate): boolean {
    const elapsedMs = Math.max(0, at - this.#filledAt);
    this.#filledAt = Math.max(at, this.#filledAt);
    this.#tokens = Math.min(rate.burst, this.#tokens + (elapsedMs * rate.perSecond) / 1000);
    return this.#tokens >= 1;
  }

  /** @throws Error unless `has` has just said yes */
  take(): void {
    if (this.#tokens < 1) throw new Error('a token was taken that is not there');
    this.#tokens--;
  }
}
