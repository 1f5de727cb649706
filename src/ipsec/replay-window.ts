// The anti-replay window with extended sequence numbers (RFC 4303 3.4.3, RFC 4303 A), on two 32-bit words.
import type { SequenceNumber } from '#sa';
import type { ReceivedMark } from './received-marks.ts';
import type { SaProgress } from './sa-progress.ts';

/** The largest window a receiver may be configured with, in packets. */
export const replayWindowPacketsMax = 4096;

/** What the window says of a sequence number before the integrity check. */
export type ReplayCheck = 'new' | 'seen' | 'left-of-window';

const wordBits = 32;
const two32 = 0x1_0000_0000;

/**
 * Use in this order: `inferHigh`, `check`, the integrity check, `accept`. Nothing before `accept` changes the window, so
 * a forged packet cannot move it (RFC 4303 3.4.3).
 *
 * A window of 0 packets accepts everything, but still tells which packets are the newest so far.
 */
export class ReplayWindow {
  readonly sizePackets: number;
  /** Where the highest number is written down for a process that goes on with this SA. */
  mark: ReceivedMark | undefined;
  readonly #esn: boolean;
  readonly #progress: SaProgress | undefined;
  /** A ring of bits indexed by the low word; its size divides 2^32, so it is continuous where the low word wraps. */
  readonly #bits: Uint32Array;
  readonly #indexMask: number;
  /** Packets by which a number may lie behind the top and still belong to the same pass through the low word. */
  readonly #inferencePackets: number;
  #topHigh: number;
  #topLow: number;

  /**
   * @param sizePackets 0..4096, rounded up to a multiple of 32
   * @param last the highest number that may have been received, if the SA is taken over from an earlier run
   */
  constructor(
    sizePackets: number,
    esn: boolean,
    last: SequenceNumber = { high: 0, low: 0 },
    progress?: SaProgress,
  ) {
    this.#progress = progress;
    if (!Number.isInteger(sizePackets) || sizePackets < 0 || sizePackets > replayWindowPacketsMax) {
      throw new RangeError(`a replay window has 0 to ${replayWindowPacketsMax} packets, not ${sizePackets}`);
    }
    this.sizePackets = Math.ceil(sizePackets / wordBits) * wordBits;
    this.#esn = esn;
    // Without a window the number nearest to the top is the likeliest, as far as appendix A2 allows a window to reach.
    this.#inferencePackets = this.sizePackets === 0 ? 0x8000_0000 : this.sizePackets;
    let words = 1;
    while (words * wordBits < this.sizePackets) words *= 2;
    this.#bits = new Uint32Array(words);
    this.#indexMask = words * wordBits - 1;
    this.#topHigh = last.high;
    this.#topLow = last.low;
    // Everything up to `last` counts as seen: also 0 on a fresh SA, whose first packet carries 1 (RFC 4303 3.3.3).
    this.#bits.fill(0xffff_ffff);
  }

  /** The highest authenticated sequence number. */
  get top(): SequenceNumber {
    return { high: this.#topHigh, low: this.#topLow };
  }

  /** RFC 4303 A2.2: the high word that belongs to a received low word. -1 or 2^32 if there can be none. */
  inferHigh(low: number): number {
    if (!this.#esn) return 0;
    const bottom = this.#topLow - this.#inferencePackets + 1;
    if (bottom >= 0) return low >= bottom ? this.#topHigh : this.#topHigh + 1;
    return low >= bottom + two32 ? this.#topHigh - 1 : this.#topHigh;
  }

  check(high: number, low: number): ReplayCheck {
    if (high < 0 || high >= two32) return 'left-of-window';
    if (this.#isAhead(high, low)) return 'new';
    if (this.sizePackets === 0) return high === 0 && low === 0 ? 'left-of-window' : 'new';
    if (this.#distance(high, low) >= this.sizePackets) return 'left-of-window';
    const index = low & this.#indexMask;
    return (this.#bits[index >>> 5]! & (1 << (index & 31))) === 0 ? 'new' : 'seen';
  }

  /**
   * Records a number that `check` called new and whose packet was authentic.
   * @returns whether it is the highest so far
   */
  accept(high: number, low: number): boolean {
    const ahead = this.#isAhead(high, low);
    if (ahead) {
      this.#clear(this.#distanceAhead(high, low));
      this.#topHigh = high;
      this.#topLow = low;
      this.mark?.raise(high, low);
      this.#progress?.noteSequence(high, low);
    }
    const index = low & this.#indexMask;
    this.#bits[index >>> 5] = this.#bits[index >>> 5]! | (1 << (index & 31));
    return ahead;
  }

  #isAhead(high: number, low: number): boolean {
    return high > this.#topHigh || (high === this.#topHigh && low > this.#topLow);
  }

  /** How far behind the top; exact up to 2^53, and larger than any window beyond. */
  #distance(high: number, low: number): number {
    return (this.#topHigh - high) * two32 + (this.#topLow - low);
  }

  #distanceAhead(high: number, low: number): number {
    return (high - this.#topHigh) * two32 + (low - this.#topLow);
  }

  /** Forgets the bits of the `count` numbers above the top. */
  #clear(count: number): void {
    if (count > this.#indexMask) {
      this.#bits.fill(0);
      return;
    }
    for (let i = 1; i <= count; ) {
      const index = (this.#topLow + i) & this.#indexMask;
      if ((index & 31) === 0 && count - i >= 31) {
        this.#bits[index >>> 5] = 0;
        i += 32;
      } else {
        this.#bits[index >>> 5] = this.#bits[index >>> 5]! & ~(1 << (index & 31));
        i++;
      }
    }
  }
}
