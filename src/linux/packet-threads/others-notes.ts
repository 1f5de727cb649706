// What packet threads are told of each other's SAs, so that they know whose packets to hand over to whom.
import type { IpAddress, SaCommand, SaName, SaProtocol } from '#sa';
import type { PacketThread } from '../packet-thread/packet-thread.ts';
import type { InboundPlace, SaPlacement } from './sa-placement.ts';

type Told = Pick<PacketThread, 'sealedElsewhere' | 'receivedElsewhere' | 'wipe'>;
type RemoveCommand = Extract<SaCommand, { kind: 'remove' }>;

/** Where packets of an inbound SA come from; undefined: it is gone. */
type To = { readonly remote: IpAddress | undefined };

/** One that is removed later than it was asked for. */
interface Lingering {
  readonly place: InboundPlace;
  readonly timer: NodeJS.Timeout;
}

export class OthersNotes {
  readonly #threads: readonly Told[];
  readonly #placement: SaPlacement;
  /** By protocol and SPI. */
  readonly #lingering = new Map<string, Lingering>();

  /** @param threads all of them, though perhaps some are not there yet */
  constructor(threads: readonly Told[], placement: SaPlacement) {
    this.#threads = threads;
    this.#placement = placement;
  }

  /**
   * A command is about to be carried out, and the placement knows.
   * @param before what the command would remove, as it was
   */
  follow(command: SaCommand, before: InboundPlace | undefined): void {
    switch (command.kind) {
      case 'install':
        if (command.sa.direction === 'outbound') this.tellSealer(command.sa.childId);
        else this.#tellReceived(command.sa);
        break;
      case 'update-addresses':
        if (command.direction === 'inbound')
          this.#tellOthers({ ...command, remote: command.remote.address, thread: this.#receiverOf(command) });
        break;
      case 'remove':
        if (command.direction === 'outbound') this.tellSealer(command.childId);
        else if (before !== undefined) this.#tellRemoval(command, before);
        this.#wipeAll();
        break;
    }
  }

  /** Who seals for a pair, or that nobody does. */
  tellSealer(childId: number): void {
    const sealer = this.#placement.sealerOf(childId);
    this.#threads.forEach((one, thread) => {
      one.sealedElsewhere(childId, thread === sealer ? undefined : sealer);
    });
  }

  /** An inbound SA is gone. */
  tellGone(place: InboundPlace): void {
    this.#tellOthers({ ...place, remote: undefined });
  }

  /** A thread that takes another one's place knows of its own SAs only. */
  tellAgain(thread: number): void {
    const one = this.#threads[thread]!;
    for (const [childId, sealer] of this.#placement.sealers)
      if (sealer !== thread) one.sealedElsewhere(childId, sealer);
    const lingering = [...this.#lingering.values()].map(({ place }) => place);
    for (const place of [...lingering, ...this.#placement.inbound()])
      if (place.thread !== thread) one.receivedElsewhere(place, place.thread, place.remote);
  }

  close(): void {
    for (const { timer } of this.#lingering.values()) clearTimeout(timer);
    this.#lingering.clear();
  }

  #receiverOf({ spi }: Pick<SaName, 'spi'>): number {
    return this.#placement.receiverOf(spi);
  }

  #tellReceived({ protocol, spi, childId, remote }: Omit<InboundPlace, 'thread'>): void {
    this.#takeLingering(protocol, spi);
    this.#tellOthers({ protocol, spi, childId, remote, thread: this.#receiverOf({ spi }) });
  }

  /** What is on its way to an SA that lingers is still handed over. */
  #tellRemoval({ protocol, spi, lingerMs = 0 }: RemoveCommand, place: InboundPlace): void {
    this.#takeLingering(protocol, spi);
    if (lingerMs <= 0) {
      this.tellGone(place);
      return;
    }
    const timer = setTimeout(() => {
      this.#lingering.delete(nameOf(protocol, spi));
      this.tellGone(place);
    }, lingerMs);
    timer.unref();
    this.#lingering.set(nameOf(protocol, spi), { place, timer });
  }

  #takeLingering(protocol: SaProtocol, spi: number): void {
    clearTimeout(this.#lingering.get(nameOf(protocol, spi))?.timer);
    this.#lingering.delete(nameOf(protocol, spi));
  }

  #tellOthers({ thread: by, remote, ...name }: Omit<InboundPlace, 'remote'> & To): void {
    this.#threads.forEach((one, thread) => {
      if (thread !== by) one.receivedElsewhere(name, by, remote);
    });
  }

  /** Who had packets of the SA to hand over has forgotten them, too. */
  #wipeAll(): void {
    for (const one of this.#threads) one.wipe();
  }
}

function nameOf(protocol: SaProtocol, spi: number): string {
  return `${protocol} ${spi}`;
}
