// Which of several packet threads has an SA. None is shared: sequence numbers, replay windows and lifetimes stay one thread's.
import type { IpAddress, SaCommand, SaProtocol, SaResult, Spi } from '#sa';
import { type IndexedSa, SaIndex } from '../packet-thread/sa-index.ts';

interface PlacedSa extends IndexedSa {
  remote: IpAddress;
}

/** Who carries a command out: one thread, or every one. */
export type Place = number | 'all';

type Refusal = Extract<SaResult, { ok: false }>;

/** An inbound SA, and the thread that receives by it. */
export interface InboundPlace {
  readonly protocol: SaProtocol;
  readonly spi: Spi;
  readonly remote: IpAddress;
  readonly thread: number;
}

/**
 * Follows what the threads are asked to do. An inbound SA is where the kernel brings its packets: in the thread of its SPI's
 * remainder. The outbound SAs of a pair are where its inbound SA was when the first of them came, for there the kernel brings the answers of a flow.
 */
export class SaPlacement {
  readonly #threads: number;
  readonly #sas = new SaIndex<PlacedSa>();
  /** Of each pair that has outbound SAs. */
  readonly #sealers = new Map<number, number>();

  constructor(threads: number) {
    this.#threads = threads;
  }

  /** The thread that an inbound SA with this SPI is in. */
  receiverOf(spi: number): number {
    return spi % this.#threads;
  }

  /** The thread that seals what a pair sends, while the pair has an outbound SA. */
  sealerOf(childId: number): number | undefined {
    return this.#sealers.get(childId);
  }

  /** All pairs that have outbound SAs, and their threads. */
  get sealers(): ReadonlyMap<number, number> {
    return this.#sealers;
  }

  *inbound(): Iterable<InboundPlace> {
    for (const { protocol, direction, spi, remote } of this.#sas.values()) {
      if (direction === 'inbound') yield { protocol, spi, remote, thread: this.receiverOf(spi) };
    }
  }

  /** The pair that a command is about, if that is known. */
  pairOf(command: SaCommand): number | undefined {
    switch (command.kind) {
      case 'install':
        return command.sa.childId;
      case 'remove':
        return this.#sas.named(command)?.childId;
      case 'install-policy':
        return command.policy.childId;
      case 'remove-policy':
        return undefined;
      default:
        return command.childId;
    }
  }

  /**
   * A command is about to be carried out.
   * @returns by whom, or the answer if nobody needs to be asked: no thread alone knows all outbound SPIs
   */
  ask(command: SaCommand): Place | Refusal {
    switch (command.kind) {
      case 'install':
        return command.sa.direction === 'inbound' ? this.#askInbound(command) : this.#askOutbound(command);
      case 'use-outbound':
        return this.#sealerFor(command.childId);
      case 'extend-reservation':
        return command.direction === 'inbound'
          ? this.receiverOf(command.spi)
          : this.#sealerFor(command.childId);
      case 'update-addresses':
        return this.#askToMove(command);
      case 'remove':
        return this.#askToRemove(command);
      case 'install-policy':
      case 'remove-policy':
        return 'all';
    }
  }

  /** An installation was refused: there is no such SA. */
  refused({ sa: { protocol, direction, spi, remote, childId } }: Installation): void {
    const known = this.#sas.named({ protocol, direction, spi, remote });
    if (known?.childId === childId) this.#forget(known);
  }

  #askInbound({ sa }: Installation): Place {
    // One of this name has its thread refuse the other.
    if (this.#sas.named(sa) === undefined) this.#add(sa);
    return this.receiverOf(sa.spi);
  }

  #askOutbound({ sa }: Installation): Place | Refusal {
    if (this.#sas.named(sa) !== undefined) return exists(sa.spi, sa.remote);
    const { childId } = sa;
    let thread = this.#sealers.get(childId);
    if (thread === undefined) {
      const inbound = this.#sas.pair(childId).findLast(({ direction }) => direction === 'inbound');
      thread = inbound === undefined ? childId % this.#threads : this.receiverOf(inbound.spi);
      this.#sealers.set(childId, thread);
    }
    this.#add(sa);
    return thread;
  }

  #askToMove(command: Extract<SaCommand, { kind: 'update-addresses' }>): Place | Refusal {
    const { protocol, direction, spi, childId } = command;
    const remote = command.remote.address;
    const sa = this.#sas.ofPair(command);
    if (direction === 'outbound' && sa !== undefined) {
      const holder = this.#sas.named({ protocol, direction, spi, remote });
      if (holder !== undefined && holder !== sa) return exists(spi, remote);
    }
    if (sa !== undefined) this.#sas.move(sa, remote);
    return direction === 'inbound' ? this.receiverOf(spi) : this.#sealerFor(childId);
  }

  #askToRemove(command: Extract<SaCommand, { kind: 'remove' }>): Place {
    const sa = this.#sas.named(command);
    if (command.direction === 'inbound') {
      if (sa !== undefined) this.#forget(sa);
      return this.receiverOf(command.spi);
    }
    // Of one that is not there any thread can say so.
    if (sa === undefined) return 0;
    const thread = this.#sealerFor(sa.childId);
    this.#forget(sa);
    return thread;
  }

  #sealerFor(childId: number): number {
    return this.#sealers.get(childId) ?? childId % this.#threads;
  }

  #add({ protocol, direction, spi, childId, remote }: IndexedSa): void {
    this.#sas.add({ protocol, direction, spi, childId, remote });
  }

  #forget(sa: PlacedSa): void {
    this.#sas.remove({ kind: 'remove', ...sa });
    const { childId } = sa;
    if (!this.#sas.pair(childId).some(({ direction }) => direction === 'outbound'))
      this.#sealers.delete(childId);
  }
}

type Installation = Extract<SaCommand, { kind: 'install' }>;

function exists(spi: number, remote: IpAddress): Refusal {
  return { ok: false, code: 'exists', detail: `${remote} has an outbound SA with SPI ${spi}` };
}
