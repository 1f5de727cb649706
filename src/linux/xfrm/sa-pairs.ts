// Our SAs in the kernel, and which of them belong together.
import type { IpAddress, SaDirection, SaProtocol, Spi } from '#sa';
import type { XfrmStateId } from '#wire';
import { type KernelSa, stateKey } from './kernel-sa.ts';
import { stateId } from './kernel-state.ts';

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

interface SaName {
  readonly direction: SaDirection;
  readonly protocol: SaProtocol;
  readonly spi: Spi;
}

export class SaPairs {
  readonly #sas = new Map<string, KernelSa>();
  /** By protocol and SPI, which is ours and so names one SA. */
  readonly #inbound = new Map<string, KernelSa>();
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

  ofPair(command: SaName & { readonly childId: number }): KernelSa | undefined {
    for (const sa of this.#pairs.get(command.childId)?.sas ?? []) if (isNamed(sa, command)) return sa;
    return undefined;
  }

  /** An outbound SPI, of the peer's choice, names an SA together with the peer's address only. */
  named(name: SaName, remote: IpAddress): KernelSa | undefined {
    if (name.direction === 'inbound') return this.#inbound.get(inboundKey(name));
    const sa = this.at(stateId({ ...name, local: remote, remote }));
    return sa?.direction === 'outbound' ? sa : undefined;
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
    this.#name(sa);
  }

  #name(sa: KernelSa): void {
    this.#sas.set(sa.key, sa);
    if (sa.direction === 'inbound') this.#inbound.set(inboundKey(sa), sa);
  }

  #unname(sa: KernelSa): void {
    this.#sas.delete(sa.key);
    if (sa.direction === 'inbound') this.#inbound.delete(inboundKey(sa));
  }

  /** Forgets an SA; the pair that it was in stays, perhaps without any. */
  remove(sa: KernelSa): void {
    this.#unname(sa);
    const pair = this.#pairs.get(sa.childId);
    if (pair === undefined) return;
    pair.sas.delete(sa);
    if (pair.outbound === sa) pair.outbound = undefined;
  }

  removePair({ childId, requestId }: Pair): void {
    this.#pairs.delete(childId);
    this.#requestIds.delete(requestId);
  }

  /** Changes an SA so that the kernel names it otherwise afterwards; as long as it fails, it has no name. */
  rename<Result>(sa: KernelSa, change: () => Result | undefined): Result | undefined {
    this.#unname(sa);
    const failure = change();
    if (failure === undefined) this.#name(sa);
    return failure;
  }

  clear(): void {
    this.#sas.clear();
    this.#inbound.clear();
  }
}

function isNamed(sa: KernelSa, { direction, protocol, spi }: SaName): boolean {
  return sa.direction === direction && sa.protocol === protocol && sa.spi === spi;
}

function inboundKey({ protocol, spi }: Pick<SaName, 'protocol' | 'spi'>): string {
  return `${protocol} ${spi}`;
}
