// Unknown SPIs under the kernel's IPsec: it counts them and tells no more, so that a packet socket has a look while it counts.
import { networkInterfaces } from 'node:os';
import { UnknownSpiRing } from '#ipsec';
import { type IpAddress, parseAddress, type SaProtocol, type UnknownSpiEvidence } from '#sa';
import { unknownSpiFilter } from './packet-filter.ts';
import { PacketSocket } from './packet-socket.ts';
import { evidenceOf } from './sniffed-packet.ts';

/** How long a look lasts after the counter moved last. */
const lookMs = 2_000;
/** A host that has just started is the one that meets SPIs of before. */
const lookAfterStartMs = 5_000;
/** How often the sockets are read meanwhile, and how much at once: a flood must not take all of a thread. */
const readIntervalMs = 10;
const packetsPerReadMax = 64;
const waitingMax = 64;

export interface UnknownSpiWatchOptions {
  readonly natTraversalPort: number;
  readonly perSecondMax: number;
  /** SPIs on which somebody receives; what is left out is asked for by `isKnown`. */
  readonly knownSpis: () => readonly number[];
  readonly isKnown: (protocol: SaProtocol, spi: number, destination: IpAddress) => boolean;
}

/** While nothing is unknown it costs nothing but to compare a counter. */
export class UnknownSpiWatch {
  readonly #options: UnknownSpiWatchOptions;
  readonly #ring: UnknownSpiRing;
  #counted: number | undefined;
  #sockets: PacketSocket[] = [];
  #until = Number.NEGATIVE_INFINITY;
  #readAt = Number.POSITIVE_INFINITY;
  #ownAddresses: ReadonlySet<IpAddress> = new Set();
  #denied = false;

  constructor(options: UnknownSpiWatchOptions) {
    this.#options = options;
    this.#ring = new UnknownSpiRing(waitingMax, options.perSecondMax);
  }

  get dropped(): number {
    return this.#ring.dropped;
  }

  get looking(): boolean {
    return this.#sockets.length > 0;
  }

  /** @param noStates how many packets had no SA so far, XfrmInNoStates; undefined if the kernel does not count */
  count(noStates: number | undefined, at: number): void {
    const before = this.#counted;
    this.#counted = noStates;
    // Without a counter there is nothing to begin with, and to look always would cost too much.
    if (noStates === undefined) return;
    if (before === undefined) this.#look(at, lookAfterStartMs);
    else if (noStates !== before) this.#look(at, lookMs);
  }

  #look(at: number, forMs: number): void {
    this.#until = Math.max(this.#until, at + forMs);
    if (this.looking || this.#denied) return;
    const { knownSpis, natTraversalPort } = this.#options;
    const known = knownSpis();
    try {
      for (const version of [4, 6] as const)
        this.#sockets.push(new PacketSocket(version, unknownSpiFilter(version, natTraversalPort, known)));
    } catch {
      // Without CAP_NET_RAW unknown SPIs stay a number.
      this.#denied = true;
      this.#close();
      return;
    }
    this.#ownAddresses = ownAddresses();
    this.#readAt = at + readIntervalMs;
  }

  /** When `read` is due; infinity while nobody looks. */
  get dueAt(): number {
    return Math.min(this.#readAt, this.#ring.dueAt);
  }

  read(at: number): void {
    this.#ring.advance(at);
    if (at < this.#readAt) return;
    for (const socket of this.#sockets) this.#readSocket(socket);
    this.#readAt = at + readIntervalMs;
    if (at >= this.#until) this.#close();
  }

  #readSocket(socket: PacketSocket): void {
    for (let i = 0; i < packetsPerReadMax; i++) {
      const octets = socket.receive();
      if (octets === undefined) return;
      const evidence = evidenceOf(octets, this.#options.natTraversalPort);
      if (evidence === undefined) continue;
      const { protocol, spi, destination } = evidence;
      // A packet socket sees what is on its way to others as well.
      if (!this.#ownAddresses.has(destination.address)) continue;
      if (!this.#options.isKnown(protocol, spi, destination.address)) this.#ring.record(evidence);
    }
  }

  /** The next one, or undefined. */
  take(): UnknownSpiEvidence | undefined {
    return this.#ring.take();
  }

  #close(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets = [];
    this.#readAt = Number.POSITIVE_INFINITY;
  }

  close(): void {
    this.#close();
  }
}

function ownAddresses(): ReadonlySet<IpAddress> {
  const all = Object.values(networkInterfaces()).flat();
  return new Set(all.flatMap((one) => (one === undefined ? [] : (parseAddress(one.address) ?? []))));
}
