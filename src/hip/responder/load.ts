// How hard the puzzle is: one bit more with each doubling of the I1 packets per second (RFC 7401 4.1.2).
import type { PuzzleConfiguration } from '../configuration.ts';

/** How fast a flood is forgotten: the measure falls to a third in this time. */
const memoryMs = 2_000;

/** Difficulties are set in such steps, since each needs an R1 of its own, signed. */
const stepBits = 4;

export class RequestLoad {
  #perSecond = 0;
  #at: number;

  constructor(at: number) {
    this.#at = at;
  }

  /** An I1 came. */
  note(at: number): void {
    this.#fade(at);
    this.#perSecond += 1000 / memoryMs;
  }

  difficulty({ difficultyMin, difficultyMax, calmPerSecond }: PuzzleConfiguration, at: number): number {
    this.#fade(at);
    const doublings = Math.max(0, Math.log2(this.#perSecond / calmPerSecond));
    const steps = Math.ceil(doublings / stepBits);
    return Math.min(difficultyMax, difficultyMin + steps * stepBits);
  }

  #fade(at: number): void {
    this.#perSecond *= Math.exp(-(at - this.#at) / memoryMs);
    this.#at = at;
  }
}
