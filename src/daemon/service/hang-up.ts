// SIGHUP from the first moment on: it asks for another reading of the configuration, and must never end a daemon that starts.

export class HangUp {
  #heard = false;
  #listener: (() => void) | undefined;

  constructor() {
    process.on('SIGHUP', () => {
      if (this.#listener === undefined) this.#heard = true;
      else this.#listener();
    });
  }

  /** Called for each one from now on, and once for those before. */
  listen(listener: () => void): void {
    this.#listener = listener;
    if (this.#heard) listener();
  }
}
