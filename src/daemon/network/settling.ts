// Addresses come and go in groups: one look for all that changed together.

const settleMs = 10;

export class Settling {
  readonly #look: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param look called once the changes of a moment are over */
  constructor(look: () => void) {
    this.#look = look;
  }

  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, settleMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
