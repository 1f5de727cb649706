// Our SAs in the kernel, and which of them belong together.
import type { SaName } from '#sa';
import type { XfrmStateId } from '#wire';
import { type KernelSa, stateKey } from './kernel-sa.ts';

/** The SAs of one Child SA, or HIP association, over its rekeyings: its policies ask for their request ID. */
export interface Pair {
  readonly childId: number;
  readonly requestId: number;
  /** Of the SA that sends. */
  outbound: KernelSa | undefined;
  readonly sas: Set<KernelSa>;
  /** Whether a device may do all of its work: it must do the policies, too. */
  packetOffload: boolean;
}

export class SaPairs {
  /** As the kernel names them. */
  readonly #sas = new Map<string, KernelSa>();
  readonly #pairs = new Map<number, Pair>();
  readonly #requestIds = new Set<number>();

  /** How many SAs there are. */
  get size(): number {
    return this.#sas.size;
  }

  all(): IterableIterator<KernelSa> {
    return this.#sas.values();
  }

  pair(childId: number): Pair | undefined {
    return this.#pairs.get(childId);
  }

  hasRequestId(requestId: number): boolean {
    return this.#requestIds.has(requestId);
  }

  /** As the kernel names it. */
  at(id: XfrmStateId): KernelSa | undefined {
    return this.#sas.get(stateKey(id));
  }

  /** Wherever it leads. */
  find({ protocol, direction, spi, childId }: SaName): KernelSa | undefined {
    for (const sa of this.#pairs.get(childId)?.sas ?? [])
      if (sa.spi === spi && sa.direction === direction && sa.protocol === protocol) return sa;
    return undefined;
  }

  add(sa: KernelSa): void {
    const { childId, requestId } = sa;
    const pair = this.#pairs.get(childId) ?? {
      ...{ childId, requestId, outbound: undefined, sas: new Set() },
      packetOffload: true,
    };
    this.#pairs.set(childId, pair);
    this.#requestIds.add(pair.requestId);
    pair.sas.add(sa);
    this.#sas.set(sa.key, sa);
  }

  /** Forgets an SA; the pair that it was in stays, perhaps without any. */
  remove(sa: KernelSa): void {
    this.#sas.delete(sa.key);
    const pair = this.#pairs.get(sa.childId);
    if (pair === undefined) return;
    pair.sas.delete(sa);
    if (pair.outbound === sa) pair.outbound = undefined;
  }

  removePair({ childId, requestId }: Pair): void {
    this.#pairs.delete(childId);
    this.#requestIds.delete(requestId);
  }

  /** @param change lets the kernel name the SA otherwise */
  rename(sa: KernelSa, change: () => void): void {
    this.#sas.delete(sa.key);
    change();
    this.#sas.set(sa.key, sa);
  }

  clear(): void {
    this.#sas.clear();
  }
}
