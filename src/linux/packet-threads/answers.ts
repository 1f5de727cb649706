// Results of commands in the order in which they were asked for, though several threads carry them out.
import type { SaResult } from '#sa';

interface Awaited {
  /** How many threads have not answered yet. */
  left: number;
  /** The first refusal, or else the last answer. */
  result: SaResult | undefined;
  readonly settled: (result: SaResult) => void;
}

export class Answers {
  readonly #tell: (id: number, result: SaResult) => void;
  /** In the order of asking. */
  readonly #awaited = new Map<number, Awaited>();

  /** @param tell gets each result once, after those that were asked for before it */
  constructor(tell: (id: number, result: SaResult) => void) {
    this.#tell = tell;
  }

  /**
   * @param threads how many will answer
   * @param settled called as soon as all have, perhaps before it is the result's turn
   */
  ask(id: number, threads: number, settled: (result: SaResult) => void): void {
    this.#awaited.set(id, { left: threads, result: undefined, settled });
  }

  /** Nobody needs to be asked. It is told by the next `deliver`, if it is its turn. */
  refuse(id: number, result: SaResult): void {
    this.#awaited.set(id, { left: 0, result, settled: () => undefined });
  }

  answered(id: number, result: SaResult): void {
    const awaited = this.#awaited.get(id);
    if (awaited === undefined) return;
    awaited.left--;
    if (awaited.result?.ok !== false) awaited.result = result;
    if (awaited.left > 0) return;
    awaited.settled(awaited.result ?? result);
    this.deliver();
  }

  deliver(): void {
    for (const [id, { left, result }] of this.#awaited) {
      if (left > 0 || result === undefined) return;
      this.#awaited.delete(id);
      this.#tell(id, result);
    }
  }
}
