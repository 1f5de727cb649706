// While strangers flood the sockets for ESP and AH with unknown SPIs, the kernel throws away most of those before they cost anything here:
// of a hundred thousand a second, the engine would hear of a few hundred anyway. A sample goes on coming, as evidence.
import type { SaCommand, SaProtocol } from '#sa';
import { SystemCallError } from '../../libc/errno.ts';
import type { DatagramSocket } from '../../sockets/datagram-socket.ts';
import { foldedAddress } from '../../sockets/socket-address.ts';
import { type ExpectedSa, floodFilter } from './flood-filter.ts';

/** Unknown SPIs per second that are too many. Fewer cost a few hundredths of a core, and then all of them are looked at. */
const floodPerSecond = 20_000;
/** How many of a flood are still to be looked at, about. */
const sampledPerSecond = 5_000;
const oneOfMax = 256;
const intervalMs = 100;
/** After there was no room for a filter: SAs are not fewer at once. */
const restMs = 10_000;

export type GuardedSocket = Pick<DatagramSocket, 'family' | 'transport' | 'share' | 'filter'>;

export class FloodGuard {
  readonly #expected: (protocol: SaProtocol) => Iterable<ExpectedSa>;
  readonly #gates: FloodGate[] = [];
  /** Of so many unknown SPIs one is let through; 1: all, and there is no filter. */
  #oneOf = 1;
  /** Of whom all is let through: their addresses, folded. */
  readonly #peers = new Set<number>();
  #filtered = 0;
  /** Since `#at`: all that came, and those that passed by chance. */
  #seen = 0;
  #sampled = 0;
  #at = Number.NEGATIVE_INFINITY;
  #restsUntil = Number.NEGATIVE_INFINITY;

  /** @param expected the inbound SAs */
  constructor(expected: (protocol: SaProtocol) => Iterable<ExpectedSa>) {
    this.#expected = expected;
  }

  /** A socket that ESP or AH comes by. A thread before this one may have left its filter there. */
  add(socket: GuardedSocket, protocol: SaProtocol): FloodGate {
    socket.filter(undefined);
    const gate = new FloodGate(this, socket, protocol);
    this.#gates.push(gate);
    return gate;
  }

  /** Of so many packets with unknown SPIs the kernel lets one through now. */
  get oneOf(): number {
    return this.#oneOf;
  }

  /** How many packets with unknown SPIs the kernel has thrown away: an estimate from those that it let through. */
  get filtered(): number {
    return this.#filtered;
  }

  /** @param standsFor one of how many it is, unless it is a peer's */
  note(standsFor: number, remote: number): void {
    this.#seen++;
    if (standsFor === 1 || this.#peers.has(remote)) return;
    this.#sampled++;
    this.#filtered += standsFor - 1;
  }

  /** Tells the time, in milliseconds. */
  advance(at: number): void {
    const sinceMs = at - this.#at;
    if (sinceMs < intervalMs) return;
    this.#at = at;
    const oneOf = this.#rightFor((1000 * this.#seen) / sinceMs, (1000 * this.#sampled) / sinceMs);
    this.#seen = 0;
    this.#sampled = 0;
    if (oneOf !== this.#oneOf) this.#let(oneOf);
  }

  /** What comes from where peers are comes anyway: it keeps the filter there, and has no say in how much of the rest is let through. */
  #rightFor(seenPerSecond: number, sampled: number): number {
    const now = this.#oneOf;
    if (now === 1) {
      if (seenPerSecond < floodPerSecond || this.#at < this.#restsUntil) return 1;
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
    if (concerns) this.expectOthers();
  }

  /** There are other inbound SAs than before, here or in another thread. */
  expectOthers(): void {
    if (this.#oneOf > 1) this.#let(this.#oneOf);
  }

  #let(oneOf: number): void {
    const expected = { esp: [...this.#expected('esp')], ah: [...this.#expected('ah')] };
    const programs = oneOf === 1 ? undefined : this.#programs(expected, oneOf);
    const attached = programs !== undefined && this.#attach(programs);
    if (!attached) for (const { socket } of this.#gates) socket.filter(undefined);
    if (!attached && oneOf > 1) this.#restsUntil = this.#at + restMs;
    this.#oneOf = attached ? oneOf : 1;
    this.#peers.clear();
    if (!attached) return;
    for (const { remote } of [...expected.esp, ...expected.ah])
      this.#peers.add(foldedAddress(remote.address));
  }

  /** False: the kernel has no room for them (net.core.optmem_max), and some may be there. */
  #attach(programs: readonly Uint8Array[]): boolean {
    try {
      for (const [i, { socket }] of this.#gates.entries()) {
        // The kernel has room for one at a time rather than for two.
        socket.filter(undefined);
        socket.filter(programs[i]);
      }
      return true;
    } catch (error) {
      if (error instanceof SystemCallError) return false;
      throw error;
    }
  }

  /** One for each socket; undefined if there are too many SAs for a filter. */
  #programs(
    expected: Readonly<Record<SaProtocol, readonly ExpectedSa[]>>,
    oneOf: number,
  ): Uint8Array[] | undefined {
    const made = new Map<string, Uint8Array | undefined>();
    const programs: Uint8Array[] = [];
    for (const { protocol, socket } of this.#gates) {
      const { family, transport, share } = socket;
      const key = `${protocol} ${transport.kind} ${family}`;
      if (!made.has(key)) {
        const options = { protocol, family, transport: transport.kind, share, oneOf };
        made.set(key, floodFilter({ ...options, expected: expected[protocol] }));
      }
      const program = made.get(key);
      if (program === undefined) return undefined;
      programs.push(program);
    }
    return programs;
  }
}

/** A socket, and the protocol whose packets come by it. */
export class FloodGate {
  readonly socket: GuardedSocket;
  readonly protocol: SaProtocol;
  readonly #guard: FloodGuard;
  /** Of the filter that was there when the socket was empty last. */
  #oneOf = 1;

  constructor(guard: FloodGuard, socket: GuardedSocket, protocol: SaProtocol) {
    this.#guard = guard;
    this.socket = socket;
    this.protocol = protocol;
  }

  /** A packet with an unknown SPI came. @param remote its source, as `foldedAddress` has it */
  saw(remote: number): void {
    // Between the filters of then and now, which of them let it through is not known: it is not to stand for too many.
    this.#guard.note(Math.min(this.#oneOf, this.#guard.oneOf), remote);
  }

  /** Nothing is left of what waited in the socket. */
  drained(): void {
    this.#oneOf = this.#guard.oneOf;
  }
}
