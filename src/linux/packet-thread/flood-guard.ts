// While strangers flood the sockets for ESP with unknown SPIs, the kernel throws away most of those before they cost anything here:
// of a hundred thousand a second, the engine would hear of a few hundred anyway. A sample goes on coming, as evidence.
import type { Endpoint, SaCommand } from '#sa';
import type { DatagramSocket } from '../datagram-socket.ts';
import { socketAddress, socketAddressHash } from '../socket-address.ts';
import { type ExpectedSa, floodFilter } from './flood-filter.ts';

/** Unknown SPIs per second that are too many. Fewer cost a few hundredths of a core, and then all of them are looked at. */
const floodPerSecond = 20_000;
/** How many of a flood are still to be looked at, about. */
const sampledPerSecond = 5_000;
const oneOfMax = 256;
const intervalMs = 100;

export type GuardedSocket = Pick<DatagramSocket, 'family' | 'transport' | 'filter'>;

export class FloodGuard {
  readonly #expected: () => Iterable<ExpectedSa>;
  readonly #sockets: GuardedSocket[] = [];
  /** Of so many unknown SPIs one is let through; 1: all, and there is no filter. */
  #oneOf = 1;
  /** Of whom all is let through. */
  readonly #peers = new Set<number>();
  #filtered = 0;
  /** Since `#at`: all that came, and those that passed by chance. */
  #seen = 0;
  #sampled = 0;
  #at = Number.NEGATIVE_INFINITY;

  /** @param expected the inbound SAs */
  constructor(expected: () => Iterable<ExpectedSa>) {
    this.#expected = expected;
  }

  /** A socket that ESP comes by. A thread before this one may have left its filter there. */
  add(socket: GuardedSocket): void {
    socket.filter(undefined);
    this.#sockets.push(socket);
  }

  /** Whether the kernel filters now. */
  get filtering(): boolean {
    return this.#oneOf > 1;
  }

  /** How many packets with unknown SPIs the kernel has thrown away: an estimate from those that it let through. */
  get filtered(): number {
    return this.#filtered;
  }

  /** ESP with an unknown SPI came. @param remoteHash `socketAddressHash` of its source */
  saw(remoteHash: number): void {
    this.#seen++;
    if (this.#oneOf === 1 || this.#peers.has(remoteHash)) return;
    this.#sampled++;
    this.#filtered += this.#oneOf - 1;
  }

  /** Tells the time, in milliseconds. */
  advance(at: number): void {
    const sinceMs = at - this.#at;
    if (sinceMs < intervalMs) return;
    const oneOf = this.#rightFor((1000 * this.#seen) / sinceMs, (1000 * this.#sampled) / sinceMs);
    this.#at = at;
    this.#seen = 0;
    this.#sampled = 0;
    if (oneOf !== this.#oneOf) this.#let(oneOf);
  }

  /** What comes from where peers are comes anyway: it keeps the filter there, and has no say in how much of the rest is let through. */
  #rightFor(seenPerSecond: number, sampled: number): number {
    const now = this.#oneOf;
    if (now === 1) {
      if (seenPerSecond < floodPerSecond) return 1;
      return Math.min(oneOfMax, 2 ** Math.ceil(Math.log2(seenPerSecond / sampledPerSecond)));
    }
    if (sampled > 2 * sampledPerSecond) return Math.min(oneOfMax, 2 * now);
    if (sampled > sampledPerSecond / 2) return now;
    return Math.max(seenPerSecond < floodPerSecond / 2 ? 1 : 2, now / 2);
  }

  /** A command that was carried out: before anybody hears of it, the filter knows the new SA. */
  follow(command: SaCommand): void {
    if (this.#oneOf === 1) return;
    const concerns =
      (command.kind === 'install' && command.sa.direction === 'inbound') ||
      (command.kind === 'update-addresses' && command.direction === 'inbound');
    if (concerns) this.#let(this.#oneOf);
  }

  #let(oneOf: number): void {
    const expected = oneOf === 1 ? [] : [...this.#expected()];
    const programs = oneOf === 1 ? undefined : this.#programs(expected, oneOf);
    this.#peers.clear();
    this.#oneOf = programs === undefined ? 1 : oneOf;
    for (const [i, socket] of this.#sockets.entries()) socket.filter(programs?.[i]);
    if (programs === undefined) return;
    for (const { remote } of expected) {
      this.#peers.add(hashOf(remote));
      // As a raw socket tells it.
      this.#peers.add(hashOf({ ...remote, port: 0 }));
    }
  }

  /** One for each socket; undefined if there are too many SAs for a filter. */
  #programs(expected: readonly ExpectedSa[], oneOf: number): Uint8Array[] | undefined {
    const made = new Map<string, Uint8Array | undefined>();
    const programs: Uint8Array[] = [];
    for (const { family, transport } of this.#sockets) {
      const key = `${transport.kind} ${family}`;
      if (!made.has(key)) made.set(key, floodFilter({ family, transport: transport.kind, expected, oneOf }));
      const program = made.get(key);
      if (program === undefined) return undefined;
      programs.push(program);
    }
    return programs;
  }
}

function hashOf(remote: Endpoint): number {
  const octets = socketAddress(remote);
  return socketAddressHash(octets, 0, octets.length === 16 ? 4 : 6);
}
