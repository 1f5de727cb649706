// Addresses come and go in groups: one look for all that changed together.
import { monotonicMs } from '#linux';

const settleMs = 10;

export interface SettlingOptions {
  /** How many times as long as a look takes the next one waits: routes can change without end, and looks with many IKE SAs are long. */
  readonly restTimes?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

export class Settling {
  readonly #look: () => void;
  readonly #restTimes: number;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #restedAt = 0;

  /** @param look called once the changes of a moment are over */
  constructor(look: () => void, { restTimes = 9, now = monotonicMs }: SettlingOptions = {}) {
    this.#look = look;
    this.#restTimes = restTimes;
    this.#now = now;
  }

  changed(): void {
    this.#timer ??= setTimeout(() => this.#run(), Math.max(settleMs, this.#restedAt - this.#now()));
  }

  #run(): void {
    this.#timer = undefined;
    const began = this.#now();
    this.#look();
    this.rest(this.#now() - began);
  }

  /** A look has taken so long: what it only began is over now. */
  rest(tookMs: number): void {
    this.#restedAt = this.#now() + this.#restTimes * tookMs;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
