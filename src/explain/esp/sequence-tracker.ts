// What the sequence numbers of one SPI tell: loss, reordering, numbers that come again, and numbers that start over.

/** Numbers behind the highest that are remembered: more than any receiver's window. */
const windowNumbers = 1024;
/** Jumps ahead that are larger are no loss: a host that starts again skips what it had reserved. */
const jumpMin = 8192;
/** So many old numbers in their order are a sender that starts over. */
const restartRun = 4;
/** A number that comes again so soon was captured twice, or doubled by the network. */
const twiceWithinUs = 5_000;
const recentKept = 16;

/**
 * - `twice`: the same packet again within a few milliseconds
 * - `again`: a number of the window that was seen before
 * - `old`: further back than the window reaches
 * - `restart`: the sender counts from a lower number again
 * - `jump`: so far ahead that it cannot be loss
 */
export type SequenceStep = 'next' | 'gap' | 'late' | 'twice' | 'again' | 'old' | 'restart' | 'jump';

export class SequenceTracker {
  readonly first: number;
  highest: number;
  /** Numbers that were passed over and have not come since. */
  missing = 0;
  /** The largest gap, and what followed it. */
  largestGap = 0;
  afterLargestGap = 0;
  reordered = 0;
  replayed = 0;
  twice = 0;
  /** Made for the second packet: scanners send one. */
  #bits: Uint32Array | undefined;
  readonly #recentNumbers: number[] = [];
  readonly #recentTimesUs: number[] = [];
  #recentAt = 0;
  #runNext = -1;
  #runLength = 0;

  constructor(first: number, atUs: number) {
    this.first = first;
    this.highest = first;
    this.#remember(first, atUs);
  }

  see(sequence: number, atUs: number): SequenceStep {
    if (this.#bits === undefined) {
      this.#bits = new Uint32Array(windowNumbers / 32);
      this.#mark(this.first);
    }
    if (this.#isRecent(sequence, atUs)) {
      this.twice++;
      return 'twice';
    }
    this.#remember(sequence, atUs);
    // The low half of an extended number wraps (RFC 4303 2.2.1).
    const ahead = (sequence - this.highest) >>> 0;
    if (ahead !== 0 && ahead < 0x8000_0000) return this.#advance(sequence, ahead);
    const behind = (this.highest - sequence) >>> 0;
    if (behind < windowNumbers && !this.#isMarked(sequence)) {
      this.#endRun();
      this.#mark(sequence);
      // Before the first number seen, nothing was missed.
      if ((sequence - this.first) >>> 0 < 0x8000_0000) this.missing = Math.max(0, this.missing - 1);
      this.reordered++;
      return 'late';
    }
    return this.#old(sequence, behind);
  }

  #advance(sequence: number, ahead: number): SequenceStep {
    this.#endRun();
    for (let i = 1; i < Math.min(ahead, windowNumbers); i++) this.#clear(sequence - i);
    this.highest = sequence;
    this.#mark(sequence);
    if (ahead === 1) return 'next';
    if (ahead >= jumpMin) return 'jump';
    this.missing += ahead - 1;
    if (ahead - 1 > this.largestGap) {
      this.largestGap = ahead - 1;
      this.afterLargestGap = sequence;
    }
    return 'gap';
  }

  #old(sequence: number, behind: number): SequenceStep {
    this.replayed++;
    this.#runLength = sequence === this.#runNext ? this.#runLength + 1 : 1;
    this.#runNext = (sequence + 1) >>> 0;
    if (this.#runLength < restartRun) return behind < windowNumbers ? 'again' : 'old';
    this.replayed -= restartRun;
    this.#endRun();
    this.#bits!.fill(0);
    this.highest = sequence;
    this.#mark(sequence);
    return 'restart';
  }

  #endRun(): void {
    this.#runNext = -1;
    this.#runLength = 0;
  }

  #isRecent(sequence: number, atUs: number): boolean {
    for (let i = 0; i < this.#recentNumbers.length; i++) {
      if (this.#recentNumbers[i] === sequence && atUs - this.#recentTimesUs[i]! < twiceWithinUs) return true;
    }
    return false;
  }

  #remember(sequence: number, atUs: number): void {
    this.#recentNumbers[this.#recentAt] = sequence;
    this.#recentTimesUs[this.#recentAt] = atUs;
    this.#recentAt = (this.#recentAt + 1) % recentKept;
  }

  #mark(sequence: number): void {
    const bits = this.#bits!;
    const index = sequence & (windowNumbers - 1);
    bits[index >>> 5] = bits[index >>> 5]! | (1 << (index & 31));
  }

  #clear(sequence: number): void {
    const bits = this.#bits!;
    const index = sequence & (windowNumbers - 1);
    bits[index >>> 5] = bits[index >>> 5]! & ~(1 << (index & 31));
  }

  #isMarked(sequence: number): boolean {
    const index = sequence & (windowNumbers - 1);
    return (this.#bits![index >>> 5]! & (1 << (index & 31))) !== 0;
  }
}
