// The sender's sequence number (RFC 4303 3.3.3), which never repeats under one key.
import type { SequenceNumber } from '#sa';
import type { SaProgress } from './sa-progress.ts';

/**
 * A counter of 32 bits, or of 64 with extended sequence numbers. It is also the source of counter-mode IVs, so it
 * refuses to wrap even where the receiver would not mind.
 */
export class SequenceCounter {
  readonly #esn: boolean;
  readonly #progress: SaProgress | undefined;
  #high = 0;
  #low = 0;

  /** Continues after `last`; the first packet of a fresh SA carries 1. */
  constructor(esn: boolean, last: SequenceNumber = { high: 0, low: 0 }, progress?: SaProgress) {
    this.#esn = esn;
    this.#progress = progress;
    this.#high = last.high;
    this.#low = last.low;
  }

  get high(): number {
    return this.#high;
  }

  get low(): number {
    return this.#low;
  }

  /** Moves on to the number of the next packet. False if there is none left: the SA is finished. */
  advance(): boolean {
    if (this.#low < 0xffff_ffff) {
      this.#low += 1;
      this.#progress?.noteSequence(this.#high, this.#low);
      return true;
    }
    if (!this.#esn || this.#high === 0xffff_ffff) return false;
    this.#high += 1;
    this.#low = 0;
    this.#progress?.noteSequence(this.#high, this.#low);
    return true;
  }
}
