// Puzzles that were paid with already (RFC 7401 4.1.1): an I2 that somebody recorded must not bring its association down again
// and make SAs of the same keys, nor may one solution be good for thousands of Diffie-Hellman agreements.

/** Of one R1. None of them is forgotten while it may come again: the R1 goes instead, and its private value with it. */
export const acceptedMax = 1024;

/** Solutions of I2 packets that proved nothing; what is forgotten is the oldest. */
const failedMax = 4096;

/** Of such packets with one solution. More than one, for somebody may have changed that of the Initiator on its way. */
const failuresMax = 4;

export class SolutionMemory {
  readonly #accepted = new WeakMap<object, Set<string>>();
  readonly #failures = new Map<string, number>();

  /**
   * @param r1 which the I2 answers
   * @param random and @param solution #I and #J of an I2 that was accepted
   * @returns whether there is room for another one
   */
  accept(r1: object, random: Uint8Array, solution: Uint8Array): boolean {
    const accepted = this.#accepted.get(r1) ?? new Set();
    this.#accepted.set(r1, accepted);
    accepted.add(keyOf(random, solution));
    return accepted.size < acceptedMax;
  }

  /** The I2 was not worth the agreement that it cost. */
  fail(random: Uint8Array, solution: Uint8Array): void {
    const key = keyOf(random, solution);
    this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1);
    if (this.#failures.size <= failedMax) return;
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest);
      break;
    }
  }

  isSpent(r1: object, random: Uint8Array, solution: Uint8Array): boolean {
    const key = keyOf(random, solution);
    return this.#accepted.get(r1)?.has(key) === true || (this.#failures.get(key) ?? 0) >= failuresMax;
  }
}

function keyOf(random: Uint8Array, solution: Uint8Array): string {
  return String.fromCharCode(...random, ...solution);
}
