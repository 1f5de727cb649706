// How far an SA's sequence numbers may go until somebody has made sure that a restart knows of it.
import { type SequenceNumber, type SequenceReservation, sequenceAfter, sequenceDistance } from '#sa';

/**
 * Numbers beyond the limit are not used and not accepted. When half of what was reserved is spent it is time to ask for
 * more, once for each answer, so that traffic need not wait for a disk.
 */
export class Reservation {
  readonly #esn: boolean;
  #limit: SequenceNumber;
  #lowWater: SequenceNumber;
  #asked: boolean;

  constructor(esn: boolean, { last, limit }: SequenceReservation) {
    this.#esn = esn;
    this.#limit = limit;
    this.#lowWater = halfWay(last, limit, esn);
    // Nothing at all is reserved of an SA that is taken over: whoever installs it so is about to extend it.
    this.#asked = sequenceDistance(last, limit) <= 0;
  }

  get limit(): SequenceNumber {
    return this.#limit;
  }

  covers(high: number, low: number): boolean {
    return isAtMost(high, low, this.#limit);
  }

  /** Whether the number behind this one is not reserved any more, although there is one. */
  reaches(high: number, low: number): boolean {
    const { high: limitHigh, low: limitLow } = this.#limit;
    if (high < limitHigh || (high === limitHigh && low < limitLow)) return false;
    return sequenceDistance(this.#limit, sequenceAfter(this.#limit, 1, this.#esn)) > 0;
  }

  /** Whether this number is the sign to ask for more; true once until `extend`. */
  asks(high: number, low: number): boolean {
    if (this.#asked || isAtMost(high, low, this.#lowWater)) return false;
    this.#asked = true;
    // All numbers that there are: nothing more could be had.
    return sequenceDistance(this.#limit, sequenceAfter(this.#limit, 1, this.#esn)) > 0;
  }

  /**
   * @param last the highest number used or received so far
   * @param limit the same as before is an answer too: more will be asked for at half of what is left
   */
  extend(last: SequenceNumber, limit: SequenceNumber): void {
    if (sequenceDistance(this.#limit, limit) < 0) return;
    this.#lowWater = halfWay(last, limit, this.#esn);
    this.#limit = limit;
    this.#asked = false;
  }
}

function halfWay(last: SequenceNumber, limit: SequenceNumber, esn: boolean): SequenceNumber {
  return sequenceAfter(last, Math.max(0, Math.floor(sequenceDistance(last, limit) / 2)), esn);
}

function isAtMost(high: number, low: number, bound: SequenceNumber): boolean {
  return high < bound.high || (high === bound.high && low <= bound.low);
}
