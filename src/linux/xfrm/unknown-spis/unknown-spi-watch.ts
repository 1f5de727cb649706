// Unknown SPIs under the kernel's IPsec: it counts them and tells no more, so that a packet socket has a look while it counts.
import { networkInterfaces } from 'node:os';
import { UnknownSpiRing } from '#ipsec';
import { type IpAddress, parseAddress, type SaProtocol, type UnknownSpiEvidence } from '#sa';
import { SystemCallError } from '../../libc/errno.ts';
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
/** After an error that may pass, and after each further one twice as long. */
const restMsFirst = 1_000;
const restMsMax = 60_000;

/** Without the right to it, or in a kernel without packet sockets, no later try helps. Memory, descriptors and devices come back. */
const lasting: ReadonlySet<string> = new Set([
  ...['EPERM', 'EACCES', 'EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT'],
  ...['EINVAL', 'ENOPROTOOPT', 'EOPNOTSUPP', 'ENOSYS'],
]);

/** What is asked of a packet socket here. */
export type SpiSocket = Pick<PacketSocket, 'receive' | 'close'>;

export interface UnknownSpiWatchOptions {
  readonly natTraversalPort: number;
  readonly perSecondMax: number;
  /** SPIs on which somebody receives; what is left out is asked for by `isKnown`. */
  readonly knownSpis: () => readonly number[];
  readonly isKnown: (protocol: SaProtocol, spi: number, destination: IpAddress) => boolean;
  /** Hears why unknown SPIs stay a number: of what may pass once, and once of what does not. */
  readonly warn: (text: string) => void;
  /** Other sockets, for tests. */
  readonly open?: (version: 4 | 6, filter: Uint8Array) => SpiSocket;
}

/** While nothing is unknown it costs nothing but to compare a counter. */
export class UnknownSpiWatch {
  readonly #options: UnknownSpiWatchOptions;
  readonly #ring: UnknownSpiRing;
  #counted: number | undefined;
  #sockets: SpiSocket[] = [];
  #until = Number.NEGATIVE_INFINITY;
  #readAt = Number.POSITIVE_INFINITY;
  #ownAddresses: ReadonlySet<IpAddress> = new Set();
  #denied = false;
  /** When there may be another try after an error, how long the wait for it was, and whether the counter moved meanwhile. */
  #restsUntil = Number.NEGATIVE_INFINITY;
  #restMs = 0;
  #missed = false;
  #warned = false;

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
    else if (noStates !== before || this.#missed) this.#look(at, lookMs);
  }

  #look(at: number, forMs: number): void {
    if (this.#denied) return;
    this.#missed = at < this.#restsUntil;
    if (this.#missed) return;
    this.#until = Math.max(this.#until, at + forMs);
    if (this.looking) return;
    try {
      this.#open();
      this.#ownAddresses = ownAddresses();
    } catch (error) {
      this.#fail(error, at);
      return;
    }
    this.#readAt = at + readIntervalMs;
  }

  #open(): void {
    const known = this.#options.knownSpis();
    try {
      this.#openWith(known);
    } catch (error) {
      // The kernel has little room for a filter (net.core.optmem_max): what it lets through then is asked for one by one.
      const isTooLarge = error instanceof SystemCallError && error.code === 'ENOMEM' && known.length > 0;
      this.#close();
      if (!isTooLarge) throw error;
      this.#openWith([]);
    }
  }

  #openWith(known: readonly number[]): void {
    const { natTraversalPort, open = newPacketSocket } = this.#options;
    for (const version of [4, 6] as const)
      this.#sockets.push(open(version, unknownSpiFilter(version, natTraversalPort, known)));
  }

  /** Unknown SPIs stay a number: for a while, or for good. */
  #fail(error: unknown, at: number): void {
    if (!isOfSystem(error)) throw error;
    this.#close();
    this.#missed = true;
    this.#restMs = Math.min(restMsMax, 2 * this.#restMs || restMsFirst);
    this.#restsUntil = at + this.#restMs;
    this.#denied = error instanceof SystemCallError && lasting.has(error.code);
    if (this.#denied)
      this.#options.warn(
        `packets with unknown SPIs are counted, and nothing else is known of them: ${error.message}`,
      );
    else if (!this.#warned)
      this.#options.warn(
        `packets with unknown SPIs cannot be looked at, which is tried again: ${error.message}`,
      );
    this.#warned = true;
  }

  /** When `read` is due; infinity while nobody looks. */
  get dueAt(): number {
    return Math.min(this.#readAt, this.#ring.dueAt);
  }

  read(at: number): void {
    this.#ring.advance(at);
    if (at < this.#readAt) return;
    try {
      for (const socket of this.#sockets) this.#readSocket(socket);
    } catch (error) {
      this.#fail(error, at);
      return;
    }
    this.#readAt = at + readIntervalMs;
    if (at < this.#until) return;
    // A look from beginning to end: whatever was in the way has passed.
    this.#restMs = 0;
    this.#close();
  }

  #readSocket(socket: SpiSocket): void {
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

const newPacketSocket = (version: 4 | 6, filter: Uint8Array): SpiSocket => new PacketSocket(version, filter);

/** Of a call to the system, ours or Node's. */
function isOfSystem(error: unknown): error is Error {
  return error instanceof Error && (error instanceof SystemCallError || 'syscall' in error);
}

function ownAddresses(): ReadonlySet<IpAddress> {
  const all = Object.values(networkInterfaces()).flat();
  return new Set(all.flatMap((one) => (one === undefined ? [] : (parseAddress(one.address) ?? []))));
}
