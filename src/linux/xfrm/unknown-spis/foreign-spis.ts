// SPIs in the kernel's SAD that other key managers of this host put there: they are theirs, whatever comes for them.
import type { XfrmMessage, XfrmState } from '#wire';

/** Follows the kernel's messages; tells after each change. */
export class ForeignSpis {
  readonly #changed: (spis: readonly number[]) => void;
  #counts = new Map<number, number>();

  constructor(changed: (spis: readonly number[]) => void) {
    this.#changed = changed;
  }

  spis(): number[] {
    return [...this.#counts.keys()];
  }

  /** Everything that is not ours, after a dump. */
  reset(states: readonly XfrmState[]): void {
    const before = this.spis().join();
    this.#counts = new Map();
    for (const { spi } of states) this.#add(spi);
    if (this.spis().join() !== before) this.#changed(this.spis());
  }

  take(message: XfrmMessage, isOurs: (state: XfrmState) => boolean): void {
    const state = stateOf(message);
    if (state === undefined || state.spi === 0 || isOurs(state)) return;
    const before = this.#counts.size;
    if (message.kind === 'new-sa') this.#add(state.spi);
    else this.#remove(state.spi);
    if (this.#counts.size !== before) this.#changed(this.spis());
  }

  #add(spi: number): void {
    if (spi !== 0) this.#counts.set(spi, (this.#counts.get(spi) ?? 0) + 1);
  }

  #remove(spi: number): void {
    const left = (this.#counts.get(spi) ?? 0) - 1;
    if (left > 0) this.#counts.set(spi, left);
    else this.#counts.delete(spi);
  }
}

/** What an SA that comes or goes was, or undefined for other messages. */
function stateOf(message: XfrmMessage): XfrmState | undefined {
  switch (message.kind) {
    case 'new-sa':
      return message.state;
    case 'delete-sa':
      return message.attributes.state;
    case 'expire':
      return message.hard ? message.state : undefined;
    default:
      return undefined;
  }
}
