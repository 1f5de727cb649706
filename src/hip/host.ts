// The HIP side of a host: every association, and the answers to those who have none yet. Sans-IO.
import { DeadlineQueue, type IpAddress } from '#sa';
import {
  decodeHipHeader,
  decodeHipPacket,
  type HipPacket,
  HipPacketType,
  type Hit,
  unknownCriticalParameter,
  WireError,
} from '#wire';
import { associationKey, type HipAssociation } from './association.ts';
import { beginClose, receiveClose, receiveCloseAck } from './close/close.ts';
import type { HipConfiguration } from './configuration.ts';
import { addressesOf, HipHostState, type ReceivedPacket } from './host-state.ts';
import { associate } from './initiator/associate.ts';
import { receiveR1, searchOn } from './initiator/receive-r1.ts';
import { receiveR2 } from './initiator/receive-r2.ts';
import { sendI2 } from './initiator/send-i2.ts';
import type {
  HipAssociationStatus,
  HipCommand,
  HipInput,
  HipOutput,
  HipPath,
  HipPorts,
} from './interface.ts';
import { followOwnAddresses } from './locators/choose-path.ts';
import { noticeMapping } from './locators/follow-mapping.ts';
import { noteTraffic } from './locators/silence.ts';
import { commandRefused, saGone } from './lost-sa.ts';
import { receiveNotify } from './receive-notify.ts';
import { Registrar } from './registration/registrar.ts';
import { reloadRegistrations, tellRoom } from './registration/reload.ts';
import { receiveI1 } from './responder/receive-i1.ts';
import { receiveI2 } from './responder/receive-i2.ts';
import { Responder } from './responder/responder.ts';
import { deadlineOf, tend } from './timers.ts';
import { checkLiveness } from './update/liveness.ts';
import { move } from './update/move.ts';
import { receiveUpdate } from './update/receive-update.ts';
import { beginRekey, removeFormer } from './update/rekey.ts';

export interface HipHostOptions {
  readonly ports: HipPorts;
  readonly configuration: HipConfiguration;
  /** The first value of R1_COUNTER: greater than any that this host used before it started (RFC 7401 5.2.3). */
  readonly r1Counter: bigint;
  readonly at: number;
}

const receivers: ReadonlyMap<number, (state: HipHostState, received: ReceivedPacket) => void> = new Map([
  [HipPacketType.I1, receiveI1],
  [HipPacketType.R1, receiveR1],
  [HipPacketType.I2, receiveI2],
  [HipPacketType.R2, receiveR2],
  [HipPacketType.UPDATE, receiveUpdate],
  [HipPacketType.NOTIFY, receiveNotify],
  [HipPacketType.CLOSE, receiveClose],
  [HipPacketType.CLOSE_ACK, receiveCloseAck],
]);

/** RFC 7401 5.4, 6.7.2 to 6.9.1: what is malformed is answered only where an association would be needed. */
const answeredMalformed: readonly number[] = [
  HipPacketType.UPDATE,
  HipPacketType.CLOSE,
  HipPacketType.CLOSE_ACK,
];

/** All associations of one host, as a deterministic value: `handle`, `poll` and `deadline`, like the engine that has it. */
export class HipHost {
  readonly #state: HipHostState;
  /** Of associations, by their keys. One that is gone, or is not due any more, is found out when its time comes. */
  readonly #deadlines = new DeadlineQueue();

  constructor({ ports, configuration, r1Counter, at }: HipHostOptions) {
    const responder = new Responder(ports.randomness, configuration, r1Counter, at);
    const registrar = new Registrar(ports.randomness, configuration, at);
    this.#state = new HipHostState(ports, configuration, { responder, registrar });
    this.#state.at = at;
  }

  handle(input: HipInput): void {
    const state = this.#state;
    state.at = input.at;
    switch (input.kind) {
      case 'packet':
        this.#noticeOne(this.#receive(input.path, input.octets));
        return;
      case 'timeout':
        this.#tendDue();
        return;
      case 'command':
        this.#noticeSome(this.#obey(input.command));
        return;
      case 'computed':
        this.#noticeOne(this.#computed(input));
        return;
      case 'data-plane':
        this.#noticeOne(this.#dataPlane(input));
        return;
      case 'traffic': {
        const association = state.byChild.get(input.childId);
        if (association?.standing !== undefined) noteTraffic(association.standing, input);
        this.#noticeOne(association);
        return;
      }
      case 'sa-result':
        this.#noticeOne(this.#carriedOut(input));
        return;
    }
  }

  poll(): HipOutput | undefined {
    return this.#state.poll();
  }

  deadline(): number | undefined {
    const times = [this.#deadlines.next(), this.#state.responder.pool.deadline];
    const known = times.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  status(): HipAssociationStatus[] {
    return [...this.#state.associations.all()].map(statusOf);
  }

  /** The same of those with this peer. */
  statusWith(peer: Hit): HipAssociationStatus[] {
    return [...this.#state.associations.withPeer(peer)].map(statusOf);
  }

  /** The same of associations whose packets go to this address. */
  statusToward(address: IpAddress): HipAssociationStatus[] {
    return [...this.#state.associations.toward(address)].map(statusOf);
  }

  /** The association that the packet was about, if there is one now. */
  #receive(path: HipPath, octets: Uint8Array): HipAssociation | undefined {
    const state = this.#state;
    let packet: HipPacket;
    try {
      const addresses =
        path.remote.port === 0 ? addressesOf(path.remote.address, path.local.address) : undefined;
      packet = decodeHipPacket(octets, addresses);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#refuse(path, octets, error);
      return undefined;
    }
    const received = { packet, path };
    const receive = receivers.get(packet.header.packetType);
    if (receive === undefined) state.reject(received, 'unexpected');
    // Nothing says for whom an I1 or R1 was made: ours would be good for an association with ourselves.
    else if (state.identity(packet.header.sender) !== undefined) state.reject(received, 'reflected');
    // RFC 7401 5.2.1
    else if (unknownCriticalParameter(packet.parameters) !== undefined)
      state.reject(received, 'critical-parameter');
    else receive(state, received);
    return state.of(received);
  }

  #refuse(path: HipPath, octets: Uint8Array, { code, offset }: WireError): void {
    const state = this.#state;
    const reason = code === 'checksum' || code === 'version' ? code : 'malformed';
    const packetType = packetTypeOf(octets);
    state.emit({ kind: 'rejected', packetType, path, reason });
    if (reason === 'version' || (reason === 'malformed' && answeredMalformed.includes(packetType)))
      state.push({ kind: 'parameter-problem', path, pointer: offset, octets, reason });
  }

  /** The associations that have changed, or may have. */
  #obey(command: HipCommand): Iterable<HipAssociation> {
    const state = this.#state;
    switch (command.kind) {
      case 'load': {
        const before = state.configuration;
        state.configuration = command.configuration;
        state.responder.pool.withdraw(state.configuration, state.at);
        reloadRegistrations(state, before);
        this.#followOwnAddresses();
        return state.associations.all();
      }
      case 'associate': {
        const association = associate(state, command);
        return association === undefined ? [] : [association];
      }
      case 'move':
        move(state, command.from, command.to);
        return state.associations.all();
      case 'addresses':
        state.ownAddresses = command.own;
        this.#followOwnAddresses();
        return state.associations.all();
      default: {
        const association = state.find(command.local, command.remote);
        const standing = association?.standing;
        if (association === undefined || standing === undefined) return [];
        if (command.kind === 'close') beginClose(state, association, 'closed-by-us', command.reason);
        else if (command.kind === 'rekey') beginRekey(state, association, standing);
        else checkLiveness(state, association, standing);
        return [association];
      }
    }
  }

  #computed({ id, result }: Extract<HipInput, { kind: 'computed' }>): HipAssociation | undefined {
    const association = this.#state.takeComputing(id);
    const attempt = association?.attempt;
    if (result.kind !== 'search-puzzle' || association === undefined) return undefined;
    if (attempt?.name === 'I1-SENT' && attempt.solving?.computeId === id) {
      const { r1, path } = attempt.solving;
      if (result.search.solved) {
        const { solution } = result.search;
        delete attempt.solving;
        sendI2(this.#state, association, { call: attempt, r1, path, solution });
      } else searchOn(this.#state, association, result.search.next, result.search.attempts);
    }
    return association;
  }

  #dataPlane({ event }: Extract<HipInput, { kind: 'data-plane' }>): HipAssociation | undefined {
    if (!('childId' in event)) return undefined;
    const association = this.#state.byChild.get(event.childId);
    const standing = association?.standing;
    if (association === undefined || standing === undefined) return undefined;
    const state = this.#state;
    switch (event.kind) {
      case 'first-inbound':
        if (event.spi !== standing.pair.inboundSpi) break;
        removeFormer(state, standing);
        // RFC 7401 table 5: data by the new SAs says that R2 arrived.
        state.change(association, 'data came', () => {
          standing.state = 'ESTABLISHED';
          standing.r2 = undefined;
        });
        standing.lastInboundAt = state.at;
        break;
      case 'soft-expired':
      case 'sequence-exhausted':
        beginRekey(state, association, standing);
        break;
      case 'hard-expired':
        saGone(state, association, event.spi);
        break;
      case 'mapping-changed': {
        const { local } = association.path;
        noticeMapping(state, association, standing, { local, remote: event.remote });
        break;
      }
      default:
        break;
    }
    return association;
  }

  /** The association that a refusal was about. */
  #carriedOut({ id, result }: Extract<HipInput, { kind: 'sa-result' }>): HipAssociation | undefined {
    const needed = this.#state.takeNeeded(id);
    if (needed === undefined || result.ok) return undefined;
    const association = this.#state.byChild.get(needed.childId);
    if (association !== undefined) commandRefused(this.#state, association, needed, result);
    return association;
  }

  #followOwnAddresses(): void {
    for (const association of this.#state.associations.all()) {
      const { standing } = association;
      if (standing !== undefined) followOwnAddresses(this.#state, association, standing);
    }
  }

  #tendDue(): void {
    const { associations, at, responder } = this.#state;
    responder.pool.scavenge(at);
    const due: HipAssociation[] = [];
    for (let key = this.#deadlines.takeDue(at); key !== undefined; key = this.#deadlines.takeDue(at)) {
      const association = associations.at(key);
      if (association !== undefined) due.push(association);
    }
    for (const association of due) tend(this.#state, association);
    this.#noticeSome(due);
  }

  /** Whoever sends packets must not make a host look at all associations: the others wait for what they waited for. */
  #noticeOne(association: HipAssociation | undefined): void {
    this.#noticeSome(association === undefined ? [] : [association]);
  }

  #noticeSome(some: Iterable<HipAssociation>): void {
    tellRoom(this.#state);
    for (const association of some) this.#setDeadline(association);
    for (const association of this.#state.alsoChanged) this.#setDeadline(association);
    this.#state.alsoChanged.clear();
  }

  #setDeadline(association: HipAssociation): void {
    const key = associationKey(association.local.identity.hit, association.remote);
    const current = this.#state.associations.at(key);
    this.#deadlines.set(key, current && deadlineOf(this.#state, current));
  }
}

function packetTypeOf(octets: Uint8Array): number {
  try {
    return decodeHipHeader(octets).packetType;
  } catch {
    return 0;
  }
}

function statusOf(association: HipAssociation): HipAssociationStatus {
  const { standing, attempt, state, context } = association;
  const { granted, registration } = standing ?? {};
  const others = [standing?.updates.rekeying?.prepared?.pair, standing?.former?.pair]
    .filter((pair) => pair !== undefined)
    .map(({ inboundSpi, outboundSpi }) => ({ inboundSpi, outboundSpi }));
  return {
    ...context,
    state,
    ...(standing !== undefined && {
      childId: standing.childId,
      inboundSpi: standing.pair.inboundSpi,
      outboundSpi: standing.pair.outboundSpi,
      ...(others.length > 0 && { otherPairs: others }),
      suite: standing.pair.suite,
      lastInboundAt: standing.lastInboundAt,
      ...(standing.locators.all.length > 1 && {
        locators: standing.locators.all.map(({ address, state: now, preferred, until }) => ({
          address,
          state: now,
          preferred,
          ...(Number.isFinite(until) && { until }),
        })),
      }),
      ...(standing.rttMs !== undefined && { rttMs: standing.rttMs }),
      ...(attempt !== undefined && { attempt: attempt.name }),
    }),
    ...(granted !== undefined && { client: { until: granted.until } }),
    ...(registration !== undefined && {
      registration: {
        state: registration.state,
        ...(registration.until !== undefined && { until: registration.until }),
        ...(registration.failure !== undefined && { failure: registration.failure }),
      },
    }),
  };
}
