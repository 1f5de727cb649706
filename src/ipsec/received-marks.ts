// What inbound SAs have received so far, written down where a process that starts again still finds it.
import type { SequenceNumber } from '#sa';

const two32 = 0x1_0000_0000;
/** From here on 53 bits do not hold a sequence number. */
const highMax = 2 ** 21;

/**
 * The highest number that one SA has received, as one double in memory that outlives the process. It is raised before the
 * packet is given to anybody, so that a process that is killed at any instant has received nothing beyond it.
 */
export class ReceivedMark {
  readonly #cells: Float64Array;
  readonly #index: number;

  constructor(cells: Float64Array, index: number) {
    this.#cells = cells;
    this.#index = index;
  }

  raise(high: number, low: number): void {
    // One store of an aligned double: nobody ever sees a half of it.
    this.#cells[this.#index] = high < highMax ? high * two32 + low : Number.POSITIVE_INFINITY;
  }
}

/** The number that a mark stands for; `undefined`: it is none, and nothing is known of what was received. */
export function receivedSequence(mark: number): SequenceNumber | undefined {
  if (!Number.isInteger(mark) || mark < 0 || mark >= highMax * two32) return undefined;
  return { high: Math.floor(mark / two32), low: mark % two32 };
}

/** Where marks are kept. */
export interface ReceivedMarks {
  /** A mark for an inbound SA of ESP, which begins at `last`; `undefined` if there is no room for it. */
  open(spi: number, last: SequenceNumber): ReceivedMark | undefined;
  /** The SA is gone. */
  close(spi: number): void;
}
