// How far an SA has come, in memory that may outlive the thread that uses it: whoever takes the SA over goes on from there,
// and everybody may read it at any time.
import type { SequenceNumber } from '#sa';

/** Sequence number in two words, octets and packets in two doubles. */
const bytes = 24;

export class SaProgress {
  static readonly bytes: number = bytes;
  readonly #sequence: Uint32Array;
  readonly #sums: Float64Array;

  /** @param memory of `bytes` octets, all zero for a fresh SA; shared, if another thread is to know */
  constructor(memory: ArrayBuffer | SharedArrayBuffer) {
    this.#sums = new Float64Array(memory, 0, 2);
    this.#sequence = new Uint32Array(memory, 16, 2);
  }

  /** The highest number used or received; `undefined` if nothing was noted. */
  get last(): SequenceNumber | undefined {
    const [high = 0, low = 0] = this.#sequence;
    return high === 0 && low === 0 ? undefined : { high, low };
  }

  get octets(): number {
    return this.#sums[0]!;
  }

  get packets(): number {
    return this.#sums[1]!;
  }

  /** Before a number is used: a thread that dies afterwards may have used it. */
  noteSequence(high: number, low: number): void {
    this.#sequence[0] = high;
    this.#sequence[1] = low;
  }

  noteUse(octets: number, packets: number): void {
    this.#sums[0] = octets;
    this.#sums[1] = packets;
  }
}
