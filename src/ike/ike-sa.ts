// One IKE SA as its host sees it: inputs in, outputs out, a deadline in between. No sockets, no clock, no callbacks.
import type { Endpoint, IkeSuite, IpAddress, OffloadKind, SaDirection, Spi } from '#sa';
import type { IkeSpi } from '#wire';
import { zeroIkeSpi } from '#wire';
import { adoptSnapshot, type SnapshotOptions } from './checkpoint/adopt-snapshot.ts';
import type { IkeSaSnapshot } from './checkpoint/snapshot.ts';
import { takeSnapshot } from './checkpoint/take-snapshot.ts';
import { type ChildSaPhase, summaryOf } from './child-sas/child-sa.ts';
import { nextDeadline, runClocks } from './clocks/clocks.ts';
import { answerWithinMs } from './clocks/round-trip.ts';
import { handleCommand } from './command.ts';
import type { ConnectionConfiguration, Identity } from './configuration.ts';
import { handleDataPlaneEvent, handleSaResult } from './data-plane-event.ts';
import { answerPostponed } from './exchanges/create-child-sa/postponed-refusals.ts';
import { beginTasks } from './exchanges/dispatch.ts';
import { continueAsInitiator } from './exchanges/ike-auth/ike-auth-initiator.ts';
import { continueAsResponder } from './exchanges/ike-auth/ike-auth-responder.ts';
import { sameButForCookie } from './exchanges/ike-sa-init/first-request.ts';
import type { IkeRole, IkeSaState, IkeSaStatistics, PeerFeatures } from './ike-sa-state.ts';
import type { ChildSaSummary, IkePhase, IkeSaInput, IkeSaOutput } from './interface.ts';
import { unfinishedChildren } from './lifecycle.ts';
import { receive } from './messages/receive.ts';
import type { Path } from './mobility.ts';
import type { NatVerdict } from './payloads/nat-detection.ts';
import { isHalfOpen, publicPhase } from './phase.ts';

/** A request of ours that waits for its answer. */
export interface OutstandingSummary {
  readonly exchangeType: number;
  readonly messageId: number;
  readonly attempt: number;
}

/** What is known of where the two ends are (RFC 4555). */
export interface MobilityStatus {
  /** Whether we decide between which addresses the SAs are. */
  readonly client: boolean;
  /** The addresses that the peer has beside the one in use, as far as it named them. */
  readonly peerAddresses: readonly IpAddress[];
  /** Where Child SAs lead: elsewhere than the IKE SA while the peer has yet to show that it is there. */
  readonly tunnel: Path;
}

/** A Child SA and how far its life is. */
export interface ChildSaStatus extends ChildSaSummary {
  /** `deleting` also if its Delete still waits for room in the window. */
  readonly phase: ChildSaPhase;
  /** Whether our traffic leaves through it. */
  readonly outboundInUse: boolean;
  readonly installedAt: number;
  readonly rekeyAt: number | undefined;
  readonly expiresAt: number | undefined;
  /** What a network device does of either SA. Absent: nothing. */
  readonly offloaded?: Readonly<Partial<Record<SaDirection, OffloadKind>>>;
}

export interface AdoptOptions extends SnapshotOptions {
  /** What replaced it, adopted before it: if its snapshot names a successor, and only then. */
  readonly successor?: IkeSa;
}

/**
 * An IKE SA (RFC 7296). Give it inputs in the order of time, and drain `poll()` after each: its own, that of its
 * `offspring`, and that of the IKE SA whose offspring it is, since a rekeying moves things between them. Once `phase` is
 * `ended` it takes no input any more; what it still has to say can be drained.
 */
export class IkeSa {
  readonly #state: IkeSaState;
  readonly #offspring = new Map<IkeSaState, IkeSa>();

  constructor(state: IkeSaState) {
    this.#state = state;
  }

  /** See `adoptIkeSa`. */
  static adopt({ successor, ...options }: AdoptOptions): IkeSa {
    if ((successor === undefined) !== (options.snapshot.successor === undefined)) {
      throw new Error('an IKE SA that was replaced was to be adopted without what replaced it');
    }
    if (successor === undefined) return new IkeSa(adoptSnapshot(options));
    const sa = new IkeSa(adoptSnapshot(options, successor.#state));
    sa.#offspring.set(successor.#state, successor);
    return sa;
  }

  handle(input: IkeSaInput): void {
    const state = this.#state;
    if (state.ended) return;
    if (input.at < state.at) throw new Error('time went back');
    state.at = input.at;
    switch (input.kind) {
      case 'message':
        receive(state, input.octets, input);
        break;
      case 'timeout':
        break;
      case 'command':
        handleCommand(state, input.command);
        break;
      case 'data-plane':
        handleDataPlaneEvent(state, input.event);
        break;
      case 'sa-result':
        handleSaResult(state, input.id, input.result);
        break;
      case 'computed': {
        const { phase } = state;
        // A result for a message whose IKE SA has gone on without it is nobody's.
        if (phase.name !== 'validating' || phase.computeId !== input.id) break;
        const { asker } = phase;
        if (asker.role === 'initiator') continueAsInitiator(state, phase, asker.exchange, input.result);
        else continueAsResponder(state, phase, asker, input.result);
        break;
      }
    }
    runClocks(state);
    answerPostponed(state);
    beginTasks(state);
    // A hand-over gives the successor tasks and a reason to act now.
    for (const offspring of state.offspring) {
      if (offspring.at < state.at) offspring.at = state.at;
      if (!offspring.ended) beginTasks(offspring);
    }
  }

  /** The next output, or `undefined` once there is none. */
  poll(): IkeSaOutput | undefined {
    return this.#state.outputs.shift();
  }

  /** When to call again with a timeout, in the time of `at`; `undefined`: not before something else happens. */
  deadline(): number | undefined {
    return nextDeadline(this.#state);
  }

  /** Fresh authenticated traffic came in on a Child SA: the peer lives (RFC 7296 2.4). */
  noteInboundTraffic(at: number): void {
    if (at > this.#state.lastTrafficAt) this.#state.lastTrafficAt = at;
  }

  get initiatorSpi(): IkeSpi {
    return this.#state.spis.initiator;
  }

  /** Zero until IKE_SA_INIT is answered. */
  get responderSpi(): IkeSpi {
    return this.#state.spis.responder;
  }

  /** Who made this IKE SA, which after a rekeying need not be who made the first one. */
  get role(): IkeRole {
    return this.#state.role;
  }

  get phase(): IkePhase {
    return publicPhase(this.#state.phase, this.#state.rekeying);
  }

  /** It is being deleted, or will be once another request is answered. */
  get leaving(): boolean {
    const { phase, tasks } = this.#state;
    return phase.name === 'deleting' || tasks.has('delete-ike');
  }

  get local(): Endpoint {
    return this.#state.local;
  }

  get remote(): Endpoint {
    return this.#state.remote;
  }

  get nat(): NatVerdict {
    return this.#state.nat;
  }

  /** What the peer has shown that it can do. */
  get peer(): Readonly<PeerFeatures> {
    return this.#state.peer;
  }

  /** Whether the peer holds a ticket of ours for this IKE SA. */
  get ticketGiven(): boolean {
    return this.#state.ticketGiven;
  }

  get connection(): ConnectionConfiguration {
    return this.#state.connection;
  }

  get localIdentity(): Identity | undefined {
    return this.#state.localIdentity;
  }

  /** Known once the peer is authenticated. */
  get remoteIdentity(): Identity | undefined {
    return this.#state.remoteIdentity;
  }

  /** The user that EAP has authenticated, if it was by EAP (RFC 7296 2.16): who the peer is, whatever it calls itself. */
  get remoteEapIdentity(): Identity | undefined {
    return this.#state.remoteEapIdentity;
  }

  get suite(): IkeSuite | undefined {
    return this.#state.protection?.suite;
  }

  get children(): readonly ChildSaStatus[] {
    const { children, tasks } = this.#state;
    const closing = new Set<Spi>();
    for (const { work } of tasks.all()) if (work.kind === 'delete-child') closing.add(work.inboundSpi);
    return children.map((child) => ({
      ...summaryOf(child),
      phase: closing.has(child.agreement.inboundSpi) ? 'deleting' : child.phase,
      outboundInUse: child.outboundInUse,
      installedAt: child.installedAt,
      rekeyAt: child.rekeyAt,
      expiresAt: child.expiresAt,
      ...(child.offloaded !== undefined && { offloaded: child.offloaded }),
    }));
  }

  /** The numbers of its pairs, without the rest of `children`. @param name of one child only */
  childIds(name?: string): readonly number[] {
    const ids: number[] = [];
    for (const { agreement } of this.#state.children) {
      if (name === undefined || agreement.configuration.name === name) ids.push(agreement.childId);
    }
    return ids;
  }

  /** Names of the Child SAs that are being made or were asked for, other than by rekeying. */
  get unfinishedChildren(): readonly string[] {
    return unfinishedChildren(this.#state);
  }

  /** By which it sends, or could. Cheaper than `children`. */
  get outboundSpis(): readonly Spi[] {
    return this.#state.children.map(({ agreement }) => agreement.outboundSpi);
  }

  get createdAt(): number {
    return this.#state.createdAt;
  }

  get establishedAt(): number | undefined {
    return this.#state.establishedAt;
  }

  /** We began it, and nothing that the peer said about it was more than a COOKIE or a correction. */
  get unanswered(): boolean {
    return this.#state.role === 'initiator' && this.#state.spis.responder === zeroIkeSpi;
  }

  /**
   * Responder: whether these octets are its first request again, if only with another cookie (RFC 7296 2.1). What it was is not
   * remembered once somebody is authenticated.
   */
  beganWith(octets: Uint8Array): boolean {
    const { phase } = this.#state;
    if (!isHalfOpen(phase) && phase.name !== 'validating') return true;
    return sameButForCookie(octets, phase.initRequest);
  }

  /** The lower nonce of its first exchange, once it is established; of one made by rekeying there is none. */
  get lowestNonce(): Uint8Array | undefined {
    return this.#state.lowestNonce;
  }

  get rekeyAt(): number | undefined {
    return this.#state.rekeyAt;
  }

  get reauthenticateAt(): number | undefined {
    return this.#state.reauthAt;
  }

  get expiresAt(): number | undefined {
    return this.#state.expiresAt;
  }

  /** When the last fresh protected message came. */
  get lastInboundAt(): number {
    return this.#state.lastInboundAt;
  }

  /** How long a message and its answer take; `undefined` before that is known. */
  get roundTripMs(): number | undefined {
    return this.#state.roundTrip?.newestMs;
  }

  /** An answer that takes longer than so many milliseconds is late; `undefined` before that is known. */
  get answerWithinMs(): number | undefined {
    const { roundTrip } = this.#state;
    return roundTrip === undefined ? undefined : answerWithinMs(roundTrip);
  }

  get statistics(): Readonly<IkeSaStatistics> {
    return this.#state.statistics;
  }

  get outstanding(): readonly OutstandingSummary[] {
    return this.#state.requests
      .all()
      .map(({ exchangeType, messageId, attempt }) => ({ exchangeType, messageId, attempt }));
  }

  /** Our SPI of the IKE SA that a rekeying under way will make: the peer may use it before its answer is here. */
  get expectedSpi(): IkeSpi | undefined {
    for (const { exchange } of this.#state.requests.all()) {
      if (exchange.kind === 'rekey-ike') return exchange.spi;
    }
    return undefined;
  }

  /** Kinds of the tasks that wait for room in the window or for their time. */
  get queued(): readonly string[] {
    return this.#state.tasks.all().map((task) => task.work.kind);
  }

  /** Both ends agreed that either may move (RFC 4555). `undefined`: they did not. */
  get mobility(): MobilityStatus | undefined {
    const { mobility, client, tunnelEnds } = this.#state;
    if (mobility === undefined) return undefined;
    const { local, remote } = tunnelEnds;
    return { client, peerAddresses: mobility.peerAddresses, tunnel: { local, remote } };
  }

  /** Whether both ends agreed on synchronising Message IDs (RFC 6311). */
  get synchronizable(): boolean {
    return this.#state.peer.messageIdSync;
  }

  /** Who carries the Child SAs after a rekeying. */
  get successor(): IkeSa | undefined {
    return this.#state.successor === undefined ? undefined : this.#wrap(this.#state.successor);
  }

  /** All IKE SAs that rekeying this one made: the successor, and in a collision the one that lost. */
  get offspring(): readonly IkeSa[] {
    return this.#state.offspring.map((state) => this.#wrap(state));
  }

  /**
   * Everything that another process needs to go on from here, for a host whose ports say `checkpoints`. `undefined`: from here
   * nobody can, and an earlier snapshot must not be used any more. To be wiped by the caller.
   */
  snapshot(at: number): IkeSaSnapshot | undefined {
    return takeSnapshot(this.#state, at);
  }

  #wrap(state: IkeSaState): IkeSa {
    const known = this.#offspring.get(state);
    if (known !== undefined) return known;
    const wrapped = new IkeSa(state);
    this.#offspring.set(state, wrapped);
    return wrapped;
  }
}
