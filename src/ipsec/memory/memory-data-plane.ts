// The data plane in memory: SA commands and packets go in, packets and events come out; no clock and no socket of its own.
import type { IpAddress, SaCommand, SaCounters, SaDirection, SaName, SaProtocol, SaResult } from '#sa';
import { DataPath } from '../data-path.ts';
import { LingeringSas } from '../lingering-sas.ts';
import type { PacketSlot } from '../packet-slot.ts';
import { type KnownPath, PathMtus, pathMtuEvent, type TooBig } from '../path-mtus.ts';
import { Spd } from '../policy/spd.ts';
import { expiryEvent } from '../sa-events.ts';
import type { SaProgress } from '../sa-progress.ts';
import { Sad } from '../sad.ts';
import { type InboundSa, wipeKeys } from '../security-association.ts';
import type { SaUsage } from '../usage.ts';
import { applyCommand, type InstallOptions } from './apply-command.ts';
import type { EarlyPacket } from './early-packets.ts';
import { InboundPackets } from './inbound-packets.ts';
import type {
  DataPlaneOutput,
  DataPlaneStatistics,
  MemoryDataPlaneOptions,
  ReceivedPacket,
} from './interface.ts';
import { OutboundPackets } from './outbound-packets.ts';

/** Drain `poll` after every call that gives a packet, a command or the time. */
export class MemoryDataPlane {
  readonly #sad = new Sad();
  readonly #spd: Spd;
  readonly #path: DataPath;
  readonly #lingering = new LingeringSas();
  readonly #outputs: DataPlaneOutput[] = [];
  readonly #paths: PathMtus;
  readonly #pathMtuBytesMax: number;
  readonly #install: InstallOptions;
  readonly #protocols: readonly SaProtocol[];
  readonly #outbound: OutboundPackets;
  readonly #inbound: InboundPackets;
  #nextExpiryAt = Number.POSITIVE_INFINITY;

  constructor(options: MemoryDataPlaneOptions) {
    this.#spd = new Spd(options.unmatched);
    this.#path = new DataPath(this.#sad, this.#spd, options);
    this.#pathMtuBytesMax = options.pathMtuBytes ?? 1500;
    this.#paths = new PathMtus(this.#sad, this.#pathMtuBytesMax);
    const { makeCipher, receivedMarks } = options;
    this.#install = { makeCipher, receivedMarks };
    this.#protocols = options.protocols ?? ['esp', 'ah'];
    this.#outbound = new OutboundPackets(this.#path, this.#outputs, this.#pathMtuBytesMax, options);
    this.#inbound = new InboundPackets(this.#path, options);
  }

  /**
   * Carries out a command of the keying protocol. Policies with a known `policyId` are replaced.
   * @param progress of an SA to be installed: where it notes how far it comes, and goes on from
   */
  apply(command: SaCommand, at: number, progress?: SaProgress): SaResult {
    const result = this.#apply(command, at, progress);
    // They are an SA's now, or nobody's.
    if (!result.ok && command.kind === 'install') wipeKeys(command.sa);
    return result;
  }

  #apply(command: SaCommand, at: number, progress?: SaProgress): SaResult {
    if (command.kind === 'install' && !this.#protocols.includes(command.sa.protocol)) {
      return { ok: false, code: 'unsupported', detail: `no way to send or receive ${command.sa.protocol}` };
    }
    if (this.#lingers(command, at)) return { ok: true };
    const { makeCipher, receivedMarks } = this.#install;
    const result = applyCommand(this.#sad, this.#spd, command, at, { makeCipher, receivedMarks, progress });
    if (result.ok && command.kind === 'install' && command.sa.lifetimes.hardTimeMs !== undefined) {
      this.#nextExpiryAt = Math.min(this.#nextExpiryAt, at + command.sa.lifetimes.hardTimeMs);
    }
    if (result.ok) this.#followPath(command);
    if (result.ok && (command.kind === 'install-policy' || command.kind === 'install')) {
      this.#outbound.release(at);
      this.#receiveEarly(at);
    }
    this.#collectEvents();
    return result;
  }

  #followPath(command: SaCommand): void {
    if (command.kind !== 'install' && command.kind !== 'update-addresses') return;
    const sa = this.#sad.find(command.kind === 'install' ? command.sa : command);
    if (sa !== undefined && 'sequence' in sa) this.#paths.follow(sa);
  }

  #receiveEarly(at: number): void {
    const all = this.#inbound.takeEarly(at, ({ protocol, spi }) => {
      const sa = this.#sad.findInbound(protocol, spi);
      return sa !== undefined && this.#spd.protects(sa.parameters.childId);
    });
    for (const { received } of all) this.inbound(received, at);
  }

  /**
   * While another data plane seals what a pair sends, its packets get the verdict `HANDED_OVER`, also if this one has an
   * outbound SA of the pair. Held packets that may leave now do.
   */
  sealElsewhere(childId: number, elsewhere: boolean, at: number): void {
    if (!this.#sad.sealElsewhere(childId, elsewhere)) return;
    this.#outbound.release(at);
    this.#collectEvents();
  }

  /**
   * Whether another data plane seals for an outbound packet, which may be too long to be sent as it is: handing it over before it
   * is cut is cheap.
   * @returns the pair; undefined: it is to be dealt with here
   */
  handsOver(buffer: Uint8Array, start: number, length: number): number | undefined {
    return this.#path.handsOver(buffer, start, length);
  }

  /**
   * Packets that came here before their SA, which is another data plane's, once there is a policy of its pair: in the order in which
   * they came, and only once.
   * @param at monotonic milliseconds
   * @param pairElsewhere the pair of an SA of another data plane
   */
  takeEarly(
    at: number,
    pairElsewhere: (protocol: SaProtocol, spi: number) => number | undefined,
  ): readonly EarlyPacket[] {
    return this.#inbound.takeEarly(at, ({ protocol, spi }) => {
      const childId = pairElsewhere(protocol, spi);
      return childId !== undefined && this.#spd.protects(childId);
    });
  }

  /** Whether it is carried out later. A new use of its SPI ends what lingers. */
  #lingers(command: SaCommand, at: number): boolean {
    if (command.kind === 'install' && command.sa.direction === 'inbound') {
      const late = this.#lingering.take(command.sa.protocol, command.sa.spi);
      if (late !== undefined) this.#remove(late, at);
      return false;
    }
    if (command.kind !== 'remove' || command.direction === 'outbound') return false;
    if (this.#sad.find(command) === undefined) return false;
    this.#lingering.take(command.protocol, command.spi);
    return this.#lingering.postpone(command, at);
  }

  #remove(command: SaCommand, at: number): void {
    applyCommand(this.#sad, this.#spd, command, at, this.#install);
  }

  /** An IP packet from the protected side. */
  outbound(packet: Uint8Array, at: number): void {
    this.#outbound.take(packet, at);
    this.#collectEvents();
  }

  /**
   * Like `outbound` for many packets, in place and without copies: `slots[0..count)` with verdict `SEALED` hold what is
   * to be sent, those with `HANDED_OVER` what is for the data plane that seals for `slot.policy.childId`; whatever the
   * others ask for comes out of `poll`. Around each packet there must be `encapsulationHeadroomBytes` and, beyond the
   * larger of the packet and `paddedBytesMax`, `encapsulationTailroomBytes`.
   */
  outboundBatch(slots: readonly PacketSlot[], count: number, at: number): void {
    this.#outbound.takeBatch(slots, count, at);
    this.#collectEvents();
  }

  /** TFC padding may fill the path: how far an outbound packet can grow before its trailer. */
  get paddedBytesMax(): number {
    return this.#pathMtuBytesMax;
  }

  /**
   * Sends a packet that the peer discards, to hide how much traffic there is (RFC 4303 2.6).
   * @param payloadBytes as many as an inner packet would have
   */
  dummy(childId: number, payloadBytes: number, at: number): void {
    this.#outbound.dummy(childId, payloadBytes, at);
    this.#collectEvents();
  }

  /** A packet from the unprotected side that is ESP by its protocol or port. */
  inbound(received: ReceivedPacket, at: number): void {
    const packet = this.#inbound.take(received, at);
    this.#collectEvents();
    if (packet !== undefined) this.#outputs.push({ kind: 'deliver', packet });
  }

  /**
   * Like `inbound` for many packets, in place and without copies: `slots[0..count)` with verdict `OPENED` hold what is
   * to be delivered. Their inputs, `protocol` to `interfaceName`, must be set, with `decapsulationHeadroomBytes` before
   * each packet that are nobody else's: transport and BEET mode write there.
   */
  inboundBatch(slots: readonly PacketSlot[], count: number, at: number): void {
    this.#inbound.takeBatch(slots, count, at);
    this.#collectEvents();
  }

  /**
   * Whether an inbound packet need not be looked at any further: no SA has its SPI, and so many unknown ones came lately
   * that one more would leave no evidence. It is counted like any other. Costs a small part of what `inboundBatch` does.
   * @param evidenceHash as in the slot that it would be put into
   */
  dismisses(protocol: SaProtocol, spi: number, evidenceHash: number): boolean {
    return this.#inbound.dismisses(protocol, spi, evidenceHash);
  }

  /** An IP packet from the unprotected side that is no ESP: delivered if a policy lets it bypass (RFC 4301 5.2, 3b). */
  inboundUnprotected(packet: Uint8Array): void {
    const admitted = this.#inbound.takeUnprotected(packet);
    if (admitted !== undefined) this.#outputs.push({ kind: 'deliver', packet: admitted });
  }

  /**
   * Ends SAs, also those that have lingered for long enough, and gives up held packets whose time is over.
   * @returns whether an SA that lingered is gone
   */
  handleTimeout(at: number): boolean {
    this.#outbound.held.expire(at);
    this.#inbound.unknown.advance(at);
    this.#paths.expire(at);
    const late = this.#lingering.takeDue(at);
    for (const command of late) this.#remove(command, at);
    if (at >= this.#nextExpiryAt) {
      this.#nextExpiryAt = Number.POSITIVE_INFINITY;
      for (const sa of this.#sad.all()) {
        if (sa.usage.expireByTime(at)) {
          this.#outputs.push({ kind: 'event', event: expiryEvent('hard-expired', sa) });
        }
        this.#nextExpiryAt = Math.min(this.#nextExpiryAt, sa.usage.expiresAt);
      }
    }
    this.#collectEvents();
    return late.length > 0;
  }

  /** Monotonic milliseconds at which `handleTimeout` is due; `undefined` if nothing waits. */
  deadline(): number | undefined {
    const earliest = Math.min(
      this.#nextExpiryAt,
      this.#outbound.held.expiresAt,
      this.#inbound.unknown.dueAt,
      this.#lingering.deadline(),
      this.#paths.deadline(),
    );
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  /** The next output, or `undefined` when drained. */
  poll(): DataPlaneOutput | undefined {
    const output = this.#outputs.shift();
    if (output !== undefined) return output;
    const evidence = this.#inbound.unknown.take();
    return evidence === undefined ? undefined : { kind: 'event', event: { kind: 'unknown-spi', evidence } };
  }

  /** Counters of an SA; `undefined` if there is none. Of several outbound ones with one SPI, of any. */
  counters(protocol: SaProtocol, direction: SaDirection, spi: number): SaCounters | undefined {
    for (const sa of this.#sad.all()) {
      const { parameters } = sa;
      if (sa.spi === spi && parameters.direction === direction && parameters.protocol === protocol)
        return sa.usage.counters();
    }
    return undefined;
  }

  /** The same for whoever looks at an SA's counters again and again. */
  usage(name: SaName): SaUsage | undefined {
    return this.#sad.find(name)?.usage;
  }

  /** The inbound SAs, and where their packets come from. */
  inboundSas(protocol: SaProtocol): Iterable<Pick<InboundSa, 'spi' | 'remote'>> {
    return this.#sad.inbound(protocol);
  }

  /**
   * An ICMP error says that a packet was too large. What it changes is told by an event.
   * @returns whether an SA is here that can have sent it
   */
  hearTooBig(error: TooBig, at: number): boolean {
    const heard = this.#paths.hear(error, at);
    if (typeof heard === 'object')
      this.#outputs.push({ kind: 'event', event: pathMtuEvent(heard, error.from) });
    return heard !== false;
  }

  /** What another data plane has learned of the path to a peer. */
  learnPath(remote: IpAddress, path: KnownPath, at: number): void {
    this.#paths.learn(remote, path, at);
  }

  /** Packets with this verdict. @param code a place in `verdictNames` */
  verdictCount(code: number): number {
    return this.#path.verdictCount(code);
  }

  get unknownSpisDropped(): number {
    return this.#inbound.unknown.dropped;
  }

  stats(): DataPlaneStatistics {
    return {
      verdicts: this.#path.verdictCounts(),
      unknownSpisDropped: this.unknownSpisDropped,
      heldPacketsDropped: this.#outbound.held.dropped,
    };
  }

  #collectEvents(): void {
    for (let event = this.#path.takeEvent(); event !== undefined; event = this.#path.takeEvent()) {
      this.#outputs.push({ kind: 'event', event });
    }
  }
}
