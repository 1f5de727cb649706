// Which of several packet threads has an SA. None is shared: sequence numbers, replay windows and lifetimes stay one thread's.
import type { IpAddress, SaCommand, SaName, SaProtocol, SaResult, Spi } from '#sa';
import { SaIndex } from '../packet-thread/sas/sa-index.ts';

interface PlacedSa extends SaName {
  /** Where it leads now. */
  remote: IpAddress;
}

/** Who carries a command out: one thread, or every one. */
export type Place = number | 'all';

type Refusal = Extract<SaResult, { ok: false }>;

/** An inbound SA, and the thread that receives by it. */
export interface InboundPlace {
  readonly protocol: SaProtocol;
  readonly spi: Spi;
  readonly childId: number;
  readonly remote: IpAddress;
  readonly thread: number;
}

/**
 * Follows what the threads are asked to do. An inbound SA is where the kernel brings its packets: in the thread of its SPI's
 * remainder. The outbound SAs of a pair are where its inbound SA was when the first of them came, for there the kernel brings
 * the answers of a flow.
 */
export class SaPlacement {
  readonly #threads: number;
  readonly #sas = new SaIndex<PlacedSa>();
  /** What no further SA may have, see `holdOf`. */
  readonly #held = new Set<string>();
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
    for (const sa of this.#sas.values()) if (sa.direction === 'inbound') yield this.#placeOf(sa);
  }

  /** Where an inbound SA is; undefined for an outbound one, and where there is none. */
  inboundPlace(name: SaName): InboundPlace | undefined {
    const sa = name.direction === 'inbound' ? this.#sas.find(name) : undefined;
    return sa && this.#placeOf(sa);
  }

  #placeOf({ protocol, spi, childId, remote }: PlacedSa): InboundPlace {
    return { protocol, spi, childId, remote, thread: this.receiverOf(spi) };
  }

  /**
   * A command is about to be carried out.
   * @returns by whom, or the answer if nobody needs to be asked: no thread alone knows all outbound SPIs
   */
  ask(command: SaCommand): Place | Refusal {
    switch (command.kind) {
      case 'install':
        return this.#askToInstall(command);
      case 'use-outbound':
        return this.#sealerFor(command.childId);
      case 'extend-reservation':
        return this.#threadOf(command);
      case 'update-addresses':
        return this.#askToMove(command);
      case 'remove':
        return this.#askToRemove(command);
      case 'install-policy':
      case 'remove-policy':
        return 'all';
    }
  }

  /** What is known of an SA by its name now: tells it from another one that gets the name later. */
  known(name: SaName): object | undefined {
    return this.#sas.find(name);
  }

  /**
   * An installation was refused: there is no such SA.
   * @param known of when it was asked for
   * @returns false if that has been removed meanwhile
   */
  refused(name: SaName, known: object | undefined): boolean {
    if (known === undefined || this.#sas.find(name) !== known) return false;
    this.#forget(name);
    return true;
  }

  /** A move was carried out. */
  moved(command: MoveCommand): void {
    const sa = this.#sas.find(command);
    if (sa === undefined) return;
    this.#held.delete(holdOf(sa));
    sa.remote = command.remote.address;
    this.#held.add(holdOf(sa));
  }

  #askToInstall({ sa: { protocol, direction, spi, childId, remote } }: Installation): Place | Refusal {
    const sa: PlacedSa = { protocol, direction, spi, childId, remote };
    if (this.#held.has(holdOf(sa)) || this.#sas.find(sa) !== undefined) return exists(sa);
    const thread = direction === 'inbound' ? this.receiverOf(spi) : this.#placeSealer(childId);
    this.#sas.add(sa);
    this.#held.add(holdOf(sa));
    return thread;
  }

  #placeSealer(childId: number): number {
    const known = this.#sealers.get(childId);
    if (known !== undefined) return known;
    const inbound = this.#sas.pair(childId).findLast(({ direction }) => direction === 'inbound');
    const thread = inbound === undefined ? childId % this.#threads : this.receiverOf(inbound.spi);
    this.#sealers.set(childId, thread);
    return thread;
  }

  #askToMove(command: MoveCommand): Place | Refusal {
    const sa = this.#sas.find(command);
    if (sa !== undefined) {
      const wanted = holdOf({ ...sa, remote: command.remote.address });
      if (wanted !== holdOf(sa) && this.#held.has(wanted)) return exists(sa);
    }
    return this.#threadOf(command);
  }

  #askToRemove(command: Extract<SaCommand, { kind: 'remove' }>): Place {
    const thread = this.#threadOf(command);
    this.#forget(command);
    return thread;
  }

  #threadOf({ direction, spi, childId }: SaName): number {
    return direction === 'inbound' ? this.receiverOf(spi) : this.#sealerFor(childId);
  }

  #sealerFor(childId: number): number {
    return this.#sealers.get(childId) ?? childId % this.#threads;
  }

  #forget(name: SaName): void {
    const sa = this.#sas.remove(name);
    if (sa === undefined) return;
    this.#held.delete(holdOf(sa));
    const { childId } = sa;
    if (!this.#sas.pair(childId).some(({ direction }) => direction === 'outbound'))
      this.#sealers.delete(childId);
  }
}

type MoveCommand = Extract<SaCommand, { kind: 'update-addresses' }>;
type Installation = Extract<SaCommand, { kind: 'install' }>;

/** An inbound SA holds its SPI, an outbound one, whose SPI is the peer's choice, only at the peer's address (RFC 4301 4.1). */
function holdOf({ protocol, direction, spi, remote }: PlacedSa): string {
  return direction === 'inbound' ? `${protocol} inbound ${spi}` : `${protocol} outbound ${spi} ${remote}`;
}

function exists({ direction }: SaName): Refusal {
  return { ok: false, code: 'exists', detail: `the ${direction} SPI is taken` };
}
