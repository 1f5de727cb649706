// SPIs in the kernel's SAD that other key managers of this host put there: they are theirs, whatever comes for them.
import type { XfrmMessage, XfrmState } from '#wire';
import { stateKey } from '../states/kernel-sa.ts';

/** Follows the kernel's messages; tells after each change. */
export class ForeignSpis {
  readonly #changed: (spis: readonly number[]) => void;
  /** SPIs by what tells SAs apart: two may have the same one. */
  #byKey = new Map<string, number>();

  constructor(changed: (spis: readonly number[]) => void) {
    this.#changed = changed;
  }

  spis(): number[] {
    return [...new Set(this.#byKey.values())];
  }

  /** Everything that is not ours, after a dump. */
  reset(states: readonly XfrmState[]): void {
    const before = this.spis().join();
    this.#byKey = new Map();
    for (const state of states) if (state.spi !== 0) this.#byKey.set(stateKey(state), state.spi);
    const after = this.spis();
    if (after.join() !== before) this.#changed(after);
  }

  take(message: XfrmMessage, isOurs: (state: XfrmState) => boolean): void {
    const state = stateOf(message);
    if (state === undefined || state.spi === 0 || isOurs(state)) return;
    const before = this.#byKey.size;
    const key = stateKey(state);
    // One that was given an SPI first, as charon's inbound ones are, gets its keys by an update: nothing was told of it before.
    if (message.kind === 'new-sa' || message.kind === 'update-sa') this.#byKey.set(key, state.spi);
    else this.#byKey.delete(key);
    if (this.#byKey.size !== before) this.#changed(this.spis());
  }
}

/** What an SA that comes or goes was, or undefined for other messages. */
function stateOf(message: XfrmMessage): XfrmState | undefined {
  switch (message.kind) {
    case 'new-sa':
    case 'update-sa':
      return message.state;
    case 'delete-sa':
      return message.attributes.state;
    case 'expire':
      return message.hard ? message.state : undefined;
    default:
      return undefined;
  }
}
