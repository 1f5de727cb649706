// How often something was tried by or for each of many: a burst at once, then one try after another, in a table of bounded size.

export interface TryRate {
  /** So many tries at once. */
  readonly burst: number;
  /** And then one in each of these. */
  readonly intervalMs: number;
  /** Remembered at a time: who tried longest ago is forgotten first. */
  readonly subjectsMax: number;
}

/** A try is paid for with time: each moves the moment until which its subject has paid by one interval. */
export class TryTable {
  readonly #rate: TryRate;
  readonly #paidUntil = new Map<string, number>();

  constructor(rate: TryRate) {
    this.#rate = rate;
  }

  get size(): number {
    return this.#paidUntil.size;
  }

  /** Milliseconds until the next try of `subject` would have its turn. Looking changes nothing. */
  waitMs(subject: string, at: number): number {
    const { burst, intervalMs } = this.#rate;
    const ahead = (this.#paidUntil.get(subject) ?? at) - at;
    return Math.max(0, ahead - (burst - 1) * intervalMs);
  }

  /** `subject` tries, now or when its turn comes. */
  charge(subject: string, at: number): void {
    const { intervalMs, subjectsMax } = this.#rate;
    const paidUntil = Math.max(at, this.#paidUntil.get(subject) ?? at) + intervalMs;
    this.#paidUntil.delete(subject);
    for (const oldest of this.#paidUntil.keys()) {
      if (this.#paidUntil.size < subjectsMax) break;
      this.#paidUntil.delete(oldest);
    }
    this.#paidUntil.set(subject, paidUntil);
  }

  /** One try does not count after all. */
  refund(subject: string, at: number): void {
    const paidUntil = (this.#paidUntil.get(subject) ?? at) - this.#rate.intervalMs;
    if (paidUntil <= at) this.#paidUntil.delete(subject);
    else this.#paidUntil.set(subject, paidUntil);
  }
}
