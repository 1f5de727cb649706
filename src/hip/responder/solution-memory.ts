// Puzzles that were paid with already: an I2 that somebody recorded must not bring its association down again.

/** What is forgotten is the oldest. A recorded I2 that old is refused because its R1 is not offered any more. */
const rememberedMax = 4096;

export class SolutionMemory {
  readonly #seen: Set<string> = new Set();

  /** @param random and @param solution #I and #J of an I2 that was accepted */
  add(random: Uint8Array, solution: Uint8Array): void {
    this.#seen.add(keyOf(random, solution));
    if (this.#seen.size <= rememberedMax) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      break;
    }
  }

  has(random: Uint8Array, solution: Uint8Array): boolean {
    return this.#seen.has(keyOf(random, solution));
  }
}

function keyOf(random: Uint8Array, solution: Uint8Array): string {
  return String.fromCharCode(...random, ...solution);
}
