// Addresses come and go in groups: one look for all that changed together.
import { monotonicMs } from '#linux';

const settleMs = 10;

/** Routes can change without end, and with thousands of IKE SAs a look takes long: nine parts in ten of the time are for others. */
const restPerLook = 9;

export class Settling {
  readonly #look: () => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #restedAt = 0;

  /**
   * @param look called once the changes of a moment are over
   * @param now monotonic milliseconds
   */
  constructor(look: () => void, now: () => number = monotonicMs) {
    this.#look = look;
    this.#now = now;
  }

  changed(): void {
    this.#timer ??= setTimeout(() => this.#run(), Math.max(settleMs, this.#restedAt - this.#now()));
  }

  #run(): void {
    this.#timer = undefined;
    const began = this.#now();
    this.#look();
    const ended = this.#now();
    this.#restedAt = ended + restPerLook * (ended - began);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
