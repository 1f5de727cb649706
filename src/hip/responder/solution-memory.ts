// Puzzles that were paid with already (RFC 7401 4.1.1): an I2 that somebody recorded must not bring its association down again,
// nor may one solution be good for thousands of Diffie-Hellman agreements.

/** What is forgotten is the oldest. A recorded I2 that old is refused because its R1 is not offered any more. */
const rememberedMax = 4096;

/** Of I2 packets that prove nothing. More than one, for somebody may have changed that of the Initiator on its way. */
const failuresMax = 4;

export class SolutionMemory {
  readonly #accepted = new Set<string>();
  /** Apart from those: whoever has an I2 of others forgotten by bad ones of his own must not come back to it. */
  readonly #failures = new Map<string, number>();

  /** @param random and @param solution #I and #J of an I2 that was accepted */
  accept(random: Uint8Array, solution: Uint8Array): void {
    this.#accepted.add(keyOf(random, solution));
    forgetOldest(this.#accepted);
  }

  /** The I2 was not worth the agreement that it cost. */
  fail(random: Uint8Array, solution: Uint8Array): void {
    const key = keyOf(random, solution);
    this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1);
    forgetOldest(this.#failures);
  }

  isSpent(random: Uint8Array, solution: Uint8Array): boolean {
    const key = keyOf(random, solution);
    return this.#accepted.has(key) || (this.#failures.get(key) ?? 0) >= failuresMax;
  }
}

function keyOf(random: Uint8Array, solution: Uint8Array): string {
  return String.fromCharCode(...random, ...solution);
}

function forgetOldest(remembered: Set<string> | Map<string, number>): void {
  if (remembered.size <= rememberedMax) return;
  for (const oldest of remembered.keys()) {
    remembered.delete(oldest);
    break;
  }
}
