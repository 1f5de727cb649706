// The virtual internet: it delays, loses, repeats, reorders, corrupts, partitions and translates.
import type { IpAddress } from '#sa';
import type { EventQueue } from '../event-queue.ts';
import type { FaultKind } from '../events.ts';
import type { Prng } from '../prng.ts';
import type { HostScenario, LinkQuality } from '../scenario.ts';
import type { Datagram } from './datagram.ts';
import { Nat } from './nat.ts';

export interface NetworkOptions {
  readonly queue: EventQueue;
  readonly prng: Prng;
  readonly quality: LinkQuality;
  readonly now: () => number;
  readonly fault: (fault: FaultKind, subject: string) => void;
}

interface Attachment {
  readonly name: string;
  address: IpAddress | undefined;
  readonly nat: Nat | undefined;
  readonly receive: (datagram: Datagram) => void;
}

export class Network {
  readonly #options: NetworkOptions;
  readonly #attachments: Attachment[] = [];
  readonly #cut = new Set<string>();
  quality: LinkQuality;
  /** Datagrams on their way. */
  inFlight = 0;
  /** Octets of datagrams sent to addresses where nobody is, by address: what a spoofed source would get. */
  readonly astray: Map<IpAddress, number> = new Map();

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.quality = options.quality;
  }

  attach(host: HostScenario, receive: (datagram: Datagram) => void): void {
    const nat = host.nat === undefined ? undefined : new Nat(host.nat, this.#options.prng);
    this.#attachments.push({ name: host.name, address: host.address, nat, receive });
  }

  partition(from: string, to: string): void {
    this.#cut.add(`${from} ${to}`);
  }

  reconnect(): void {
    this.#cut.clear();
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from} ${to}`);
  }

  /** Where the outside finds a host now. */
  publicAddress(name: string): IpAddress | undefined {
    const attachment = this.#attachments.find((one) => one.name === name);
    return attachment?.nat?.address ?? attachment?.address;
  }

  rebind(name: string, newAddress: boolean): void {
    const attachment = this.#attachments.find((one) => one.name === name);
    if (attachment?.nat === undefined) return;
    attachment.nat.rebind(newAddress);
    this.#options.fault('nat-rebinding', name);
  }

  /** From now on the host is at this address, if at any, and nobody at the one before. */
  move(name: string, address: IpAddress | undefined): void {
    const attachment = this.#attachments.find((one) => one.name === name);
    if (attachment !== undefined) attachment.address = address;
  }

  /** A host sends. */
  send(from: string, datagram: Datagram): void {
    const sender = this.#attachments.find(({ name }) => name === from);
    // No kernel sends from an address that it does not have.
    if (sender !== undefined && datagram.source.address !== sender.address) {
      this.#options.fault('source-gone', from);
      return;
    }
    if (sender?.nat === undefined) {
      this.#carry(from, datagram);
      return;
    }
    if (datagram.protocol !== 'udp') {
      this.#options.fault('nat-drop', `native ${datagram.protocol.toUpperCase()} of ${from}`);
      return;
    }
    const source = sender.nat.outward(datagram.source, datagram.destination, this.#options.now());
    this.#carry(from, { ...datagram, source });
  }

  /** The attacker sends, from wherever it says. Nothing befalls its datagrams. */
  inject(datagram: Datagram): void {
    this.#deliver(datagram, this.quality.delayMs);
  }

  #carry(from: string, datagram: Datagram): void {
    const { prng, fault } = this.#options;
    const { quality } = this;
    const receiver = this.#receiver(datagram.destination.address);
    if (receiver === undefined) {
      const { address } = datagram.destination;
      this.astray.set(address, (this.astray.get(address) ?? 0) + datagram.octets.length);
      return;
    }
    if (this.isCut(from, receiver.name)) {
      fault('partition', `${from} to ${receiver.name}`);
      return;
    }
    if (prng.chance(quality.loss)) {
      fault('loss', `${from} to ${receiver.name}`);
      return;
    }
    let delayMs = quality.delayMs + (quality.jitterMs > 0 ? prng.between(0, quality.jitterMs) : 0);
    if (prng.chance(quality.reordering)) {
      fault('reordering', `${from} to ${receiver.name}`);
      delayMs += prng.between(1, Math.max(1, quality.reorderMs));
    }
    if (prng.chance(quality.duplication)) {
      fault('duplication', `${from} to ${receiver.name}`);
      const again = { ...datagram, origin: 'repeated' as const };
      this.#deliver(again, delayMs + prng.between(0, Math.max(1, quality.reorderMs)));
    }
    const corrupt = datagram.octets.length > 0 && prng.chance(quality.corruption);
    if (corrupt) fault('corruption', `${from} to ${receiver.name}`);
    this.#deliver(corrupt ? corrupted(datagram, prng) : datagram, delayMs);
  }

  #receiver(address: IpAddress): Attachment | undefined {
    return this.#attachments.find((one) =>
      one.nat === undefined ? one.address === address : one.nat.owns(address),
    );
  }

  #deliver(datagram: Datagram, delayMs: number): void {
    const { queue, now } = this.#options;
    this.inFlight++;
    queue.add({ at: now() + delayMs, run: () => this.#arrive(datagram) });
  }

  #arrive(datagram: Datagram): void {
    this.inFlight--;
    const receiver = this.#receiver(datagram.destination.address);
    if (receiver === undefined) return;
    const { nat } = receiver;
    if (nat === undefined) {
      receiver.receive(datagram);
      return;
    }
    const inside =
      datagram.protocol === 'udp'
        ? nat.inward(datagram.destination, datagram.source, this.#options.now())
        : undefined;
    // What it still has a mapping for may have moved on behind it.
    if (inside === undefined || inside.address !== receiver.address)
      this.#options.fault('nat-drop', `to ${receiver.name}`);
    else receiver.receive({ ...datagram, destination: inside });
  }
}

/** One to three octets changed, or the end cut off. */
function corrupted(datagram: Datagram, prng: Prng): Datagram {
  if (prng.chance(0.2)) {
    const octets = datagram.octets.slice(0, prng.below(datagram.octets.length));
    return { ...datagram, octets, origin: 'corrupted' };
  }
  const octets = datagram.octets.slice();
  const places = new Set(Array.from({ length: prng.between(1, 3) }, () => prng.below(octets.length)));
  // Each place once, so that two changes cannot undo each other.
  for (const at of places) octets[at] = octets[at]! ^ prng.between(1, 255);
  return { ...datagram, octets, origin: 'corrupted' };
}
