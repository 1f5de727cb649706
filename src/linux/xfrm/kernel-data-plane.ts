// The kernel as data plane: SA commands become changes of its SAD and SPD, its messages become data-plane events.

import { LingeringSas } from '#ipsec';
import {
  addressBytes,
  type DataPlaneEvent,
  type IpAddress,
  isNegotiableSpi,
  type PolicyParameters,
  type SaCommand,
  type SaParameters,
  type SaProtocol,
  type SaResult,
} from '#sa';
import type { XfrmMessage, XfrmState, XfrmStateId } from '#wire';
import { SystemCallError } from '../libc/errno.ts';
import { KernelMessages } from './kernel-messages.ts';
import { lookupAttributes, lookupAttributesOf } from './kernel-ties.ts';
import type { PolicyTemplates } from './policies/policy-message.ts';
import { PolicyTable } from './policies/policy-table.ts';
import { pairTemplates, trapTemplates } from './policies/policy-templates.ts';
import { setPolicy } from './policies/set-policy.ts';
import { refuse } from './refusal.ts';
import { RequestIds } from './request-ids.ts';
import { carriedOut, deviceOf } from './states/device-offload.ts';
import { KernelReports } from './states/kernel-reports.ts';
import { KernelSa } from './states/kernel-sa.ts';
import {
  familyOf,
  isSameState,
  type KernelState,
  kernelState,
  protocolNumber,
  replayWindowPacketsMax,
  stateId,
  wipeKeys,
} from './states/kernel-state.ts';
import { LarvalStates } from './states/larval-states.ts';
import { moveState } from './states/move-state.ts';
import { SaPairs } from './states/sa-pairs.ts';
import { usageOf } from './states/sa-usage.ts';
import { type AddedState, StateAdder } from './states/state-adder.ts';
import { ToldStates } from './states/told-states.ts';
import { XfrmSocket } from './xfrm-socket.ts';

const done: SaResult = { ok: true };
/** After the kernel had no room for a request, or whatever else it may have refused. */
const againMs = 1_000;
type Command<Kind extends SaCommand['kind']> = Extract<SaCommand, { readonly kind: Kind }>;

/** Answers at once: the kernel carries out a request before the system call returns. Drain `poll` after each call. */
export class KernelDataPlane {
  readonly #socket: XfrmSocket;
  readonly #states: StateAdder;
  readonly #ids: RequestIds;
  readonly #policies: PolicyTable;
  readonly #sas = new SaPairs();
  /** Request IDs of trap policies, which have no pair yet. */
  readonly #traps = new Map<number, number>();
  readonly #larval: LarvalStates;
  readonly #events: DataPlaneEvent[] = [];
  readonly reports: KernelReports;
  readonly #told: ToldStates;
  readonly #messages: KernelMessages;
  readonly #lingering = new LingeringSas();
  /** Removals that the kernel has refused; the next try is for all of them. */
  #refusedRemovals: Command<'remove'>[] = [];
  /** It did not tell which policies of ours there are. */
  #restoresAgain = false;
  #againAt = Number.POSITIVE_INFINITY;
  #policiesRestored = 0;

  /**
   * @param ownerName the same at each start of this daemon, and no other's of this network namespace
   * @param socket to the kernel; closed with this
   * @param warn hears of what others do to ours, for the log
   * @throws SystemCallError EPROTONOSUPPORT without XFRM in this kernel, EPERM without CAP_NET_ADMIN
   */
  constructor(
    ownerName: string,
    socket: XfrmSocket = new XfrmSocket(),
    warn: (text: string) => void = () => undefined,
  ) {
    this.#socket = socket;
    this.#ids = new RequestIds(ownerName);
    this.#states = new StateAdder(socket, (state) => this.#ids.isLarval(state));
    this.#policies = new PolicyTable(socket, this.#ids, warn);
    this.#larval = new LarvalStates(socket);
    this.#told = new ToldStates(socket, this.#ids);
    this.#messages = new KernelMessages({
      ...{ sas: this.#sas, traps: this.#traps, larval: this.#larval, told: this.#told },
      tell: (event) => this.#events.push(event),
    });
    this.reports = new KernelReports(socket, this.#sas, ({ protocol, spi, childId }) =>
      this.#events.push({ kind: 'first-inbound', protocol, spi, childId }),
    );
    try {
      // Numbers of a process before us are not given to other pairs as long as its SAs may be taken up.
      for (const { state } of this.#told.own()) this.#ids.keep(state.requestId);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** @param at monotonic milliseconds */
  apply(command: SaCommand, at: number): SaResult {
    try {
      return this.#apply(command, at);
    } catch (error) {
      if (!(error instanceof SystemCallError || error instanceof RangeError)) throw error;
      return refuse('failed', error.message);
    }
  }

  #apply(command: SaCommand, at: number): SaResult {
    switch (command.kind) {
      case 'install':
        return this.#install(command.sa);
      case 'use-outbound':
        return this.#useOutbound(command);
      case 'update-addresses':
        return this.#move(command);
      case 'extend-reservation':
        // The kernel's own counter outlives this process: nothing is to be reserved.
        return this.#sas.find(command) === undefined
          ? refuse('missing', `the pair has no such ${command.direction} SA`)
          : done;
      case 'remove':
        return this.#lingers(command, at) ? done : this.#removeOrLater(command, at);
      case 'install-policy':
        return this.#installPolicy(command.policy);
      case 'remove-policy':
        return this.#removePolicy(command.policyId);
    }
  }

  /**
   * A message of the kernel's own accord. False: what it means could not be asked, and is to be looked up (`lookUpLost`).
   * @param at monotonic milliseconds
   */
  take(message: XfrmMessage, at: number): boolean {
    return this.#attempt(() => {
      this.#messages.take(message, at);
      return true;
    }, false);
  }

  /** The kernel may be too busy. */
  #attempt<Result>(work: () => Result, otherwise: Result): Result {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      return otherwise;
    }
  }

  /** A policy has gone, or all of them have: ours come back if it was not us. @param at monotonic milliseconds */
  takeRemoval(message: XfrmMessage, at: number): void {
    if (message.kind === 'flush-policies') this.restorePolicies(at);
    else if (message.kind === 'delete-policy') this.#restore(() => this.#policies.restoreOne(message), at);
  }

  restorePolicies(at: number): void {
    this.#restore(() => this.#policies.restore(), at);
  }

  #restore(work: () => number, at: number): void {
    const restored = this.#attempt(work, undefined);
    this.#policiesRestored += restored ?? 0;
    if (restored !== undefined) return;
    this.#restoresAgain = true;
    this.#againAt = Math.min(this.#againAt, at + againMs);
  }

  /** Places in the kernel's SPD that somebody had cleared. */
  get policiesRestored(): number {
    return this.#policiesRestored;
  }

  /** Messages of the kernel found no room. @returns SAs that are not ours, of all that there are @throws SystemCallError */
  lookUpLost(): XfrmState[] {
    const all = this.#told.all();
    const states = all.map(({ state }) => state);
    this.#messages.lookUpLost(states.filter((state) => this.#ids.isOurState(state)));
    for (const { state, lookup } of all)
      if (this.#ids.isLarval(state) && !this.#larval.has(state)) this.#larval.end(state, lookup);
    return states.filter((state) => !this.#ids.isOurState(state));
  }

  /** The next event, or undefined when drained. */
  poll(): DataPlaneEvent | undefined {
    return this.#events.shift();
  }

  /** When `handleTimeout` is due; monotonic milliseconds. */
  deadline(): number | undefined {
    const earliest = Math.min(
      this.#larval.deadline() ?? Number.POSITIVE_INFINITY,
      this.#lingering.deadline(),
      this.#againAt,
    );
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  handleTimeout(at: number): void {
    this.#larval.handleTimeout(at);
    for (const command of this.#lingering.takeDue(at)) this.#removeOrLater(command, at);
    if (at < this.#againAt) return;
    const commands = this.#refusedRemovals;
    this.#refusedRemovals = [];
    this.#againAt = Number.POSITIVE_INFINITY;
    for (const command of commands) this.#removeOrLater(command, at);
    if (!this.#restoresAgain) return;
    this.#restoresAgain = false;
    this.restorePolicies(at);
  }

  /** How many SAs there are. */
  get size(): number {
    return this.#sas.size;
  }

  sas(): Iterable<KernelSa> {
    return this.#sas.all();
  }

  /** SPIs on which we receive. */
  inboundSpis(): number[] {
    return [...this.#sas.all()].flatMap(({ direction, spi }) => (direction === 'inbound' ? [spi] : []));
  }

  isOurState(state: XfrmState): boolean {
    return this.#ids.isOurState(state);
  }

  /** Whether anybody in this kernel has the SA. */
  isKnown(protocol: SaProtocol, spi: number, destination: IpAddress): boolean {
    const id = {
      family: familyOf(destination),
      destination: addressBytes(destination),
      spi,
      protocol: protocolNumber(protocol),
    };
    return this.#sas.at(id) !== undefined || this.#told.isTaken(id);
  }

  /** SAs that are not ours, of all that there are. */
  foreignStates(): XfrmState[] {
    return this.#told.foreign();
  }

  /** Removes SAs and policies that a process before us left and this one did not take up. Returns how many SAs. */
  removeEarlier(): number {
    let removed = 0;
    this.#policies.removeEarlier();
    for (const { state, lookup } of this.#told.own()) {
      const { family, destination, spi, protocol, requestId } = state;
      const id = { family, destination, spi, protocol };
      if (this.#sas.at(id) !== undefined) continue;
      this.#socket.requestIfThere({ kind: 'delete-sa', id, attributes: lookup });
      if (!this.#sas.hasRequestId(requestId)) this.#ids.give(requestId);
      removed++;
    }
    return removed;
  }

  /** Removes everything of ours that the kernel lets go. */
  close(): void {
    try {
      for (const { parameters } of this.#policies.all()) this.#policies.remove(parameters.policyId);
      for (const sa of this.#sas.all()) this.#attempt(() => this.#delete(sa), undefined);
      // Of some requests nobody has heard yet.
      for (const { state, lookup } of this.#attempt(() => this.#told.all(), []))
        if (this.#ids.isLarval(state)) this.#attempt(() => this.#larval.end(state, lookup), undefined);
      this.#sas.clear();
    } finally {
      this.#socket.close();
    }
  }

  #install(sa: SaParameters): SaResult {
    const { encryption, integrity } = sa;
    try {
      return this.#installState(sa);
    } finally {
      // The kernel has them now, or nobody.
      encryption?.key.fill(0);
      integrity?.key.fill(0);
    }
  }

  #installState(sa: SaParameters): SaResult {
    const { protocol, spi, replayWindow, childId } = sa;
    if (!isNegotiableSpi(spi)) return refuse('failed', `SPI ${spi} is reserved`);
    if (replayWindow > replayWindowPacketsMax)
      return refuse('unsupported', `a replay window of more than ${replayWindowPacketsMax} packets`);
    if (protocol === 'ah' && sa.encapsulation !== undefined) return refuse('unsupported', 'AH in UDP');
    const id = stateId(sa);
    const late = sa.direction === 'inbound' ? this.#lingering.take(protocol, spi) : undefined;
    if (late !== undefined) this.#remove(late);
    if (this.#sas.at(id) !== undefined || this.#sas.find(sa) !== undefined)
      return refuse('exists', `the ${sa.direction} SPI is taken`);
    const there = this.#told.at(id, lookupAttributes(sa.kernelTies));
    if (there !== undefined && !this.#ids.isOurState(there.state)) {
      wipeKeys(there.attributes);
      return refuse('exists', `the ${sa.direction} SPI is another key manager's`);
    }
    const pair = this.#sas.pair(childId);
    const known = pair?.requestId ?? this.#requestIdLike(there);
    const requestId = known ?? this.#ids.take();
    let added: (AddedState & { readonly goesOn?: boolean }) | undefined;
    try {
      added = this.#addState(sa, id, requestId, there);
    } finally {
      if (there !== undefined) wipeKeys(there.attributes);
      const stands = added !== undefined && 'device' in added;
      if (!stands && known === undefined) this.#ids.give(requestId);
    }
    if ('refusal' in added) return added.refusal;
    const { device, goesOn = false } = added;
    const installed = new KernelSa(sa, requestId);
    installed.device = device;
    if (goesOn) {
      const used = usageOf(this.#socket, installed);
      installed.packets = Number(used?.packets ?? 0n);
      installed.bytes = Number(used?.bytes ?? 0n);
    }
    this.#sas.add(installed);
    return carriedOut(device);
  }

  /** @param there what the kernel has in its place, from a process before us */
  #addState(
    sa: SaParameters,
    id: XfrmStateId,
    requestId: number,
    there: KernelState | undefined,
  ): AddedState & { readonly goesOn?: boolean } {
    const wanted = kernelState(sa, requestId, this.#ids.stateTag);
    if (wanted === undefined)
      return { refusal: refuse('unsupported', 'an algorithm that the kernel has no name for') };
    if (there !== undefined && there.state.requestId === requestId && isSameState(there, wanted))
      return { device: deviceOf(there.attributes), goesOn: true };
    // Numbers that may have been used are the kernel's to know, and it has forgotten them.
    if (isBehind(sa)) return { refusal: refuse('missing', 'the kernel has no SA that could go on') };
    if (there !== undefined)
      this.#socket.requestIfThere({
        kind: 'delete-sa',
        id,
        attributes: lookupAttributesOf(there.attributes),
      });
    return this.#states.add(wanted, sa, this.#sas.pair(sa.childId)?.packetOffload ?? true);
  }

  /** SAs of a process before us keep the number of their pair, so that its policies go on to fit. */
  #requestIdLike(there: KernelState | undefined): number | undefined {
    const requestId = there?.state.requestId;
    if (requestId === undefined || this.#sas.hasRequestId(requestId)) return undefined;
    this.#ids.keep(requestId);
    return requestId;
  }

  #useOutbound(command: Command<'use-outbound'>): SaResult {
    const sa = this.#sas.find({ ...command, direction: 'outbound' });
    if (sa === undefined) return refuse('missing', 'the pair has no such outbound SA');
    const pair = this.#sas.pair(command.childId)!;
    const before = pair.outbound;
    pair.outbound = sa;
    const result = this.#refreshPolicies(command.childId);
    if (!result.ok) pair.outbound = before;
    return result;
  }

  /** Whether it is carried out later. */
  #lingers(command: Command<'remove'>, at: number): boolean {
    if (command.direction === 'outbound' || this.#sas.find(command) === undefined) return false;
    this.#lingering.take(command.protocol, command.spi);
    return this.#lingering.postpone(command, at);
  }

  /** Keys must not stay in the kernel because it was busy for a moment. For whoever has asked the SA is gone. */
  #removeOrLater(command: Command<'remove'>, at: number): SaResult {
    const result = this.#attempt(() => this.#remove(command), undefined);
    if (result !== undefined) return result;
    this.#refusedRemovals.push(command);
    this.#againAt = Math.min(this.#againAt, at + againMs);
    return done;
  }

  #remove(command: Command<'remove'>): SaResult {
    const sa = this.#sas.find(command);
    if (sa === undefined) return refuse('missing', `the pair has no such ${command.direction} SA`);
    this.#delete(sa);
    this.#forget(sa);
    return done;
  }

  #forget(sa: KernelSa): void {
    this.#messages.forget(sa);
    this.#sas.remove(sa);
    this.#releaseIfUnused(sa.childId);
  }

  /** Where an SA was that the kernel has no more, there may be somebody else's. */
  #delete({ id, lookup, ended }: KernelSa): void {
    if (!ended) this.#socket.requestIfThere({ kind: 'delete-sa', id, attributes: lookup });
  }

  #releaseIfUnused(childId: number): void {
    const pair = this.#sas.pair(childId);
    if (pair === undefined || pair.sas.size > 0 || this.#policies.get(childId) !== undefined) return;
    this.#sas.removePair(pair);
    this.#ids.give(pair.requestId);
  }

  #move(command: Command<'update-addresses'>): SaResult {
    const { direction, local, remote, encapsulated, childId } = command;
    const sa = this.#sas.find(command);
    if (sa === undefined) return refuse('missing', `the pair has no such ${direction} SA`);
    if (sa.protocol === 'ah' && encapsulated) return refuse('unsupported', 'AH in UDP');
    if (command.unverified) return refuse('unsupported', 'the kernel counts no credit');
    if (sa.isAt(command)) return done;
    const holder = this.#sas.at(stateId({ ...command, local: local.address, remote: remote.address }));
    if (holder !== undefined && holder !== sa)
      return refuse('exists', `the ${direction} SPI is taken at the new address`);
    if (sa.ended || sa.isNumberedByDevice) {
      this.#end(sa);
      this.#sas.rename(sa, () => Object.assign(sa, { local, remote, encapsulated }));
      return this.#refreshPolicies(childId);
    }
    const moved = moveState(this.#socket, this.#states, sa, { local, remote, encapsulated });
    if ('refused' in moved) return moved.refused;
    if ('lost' in moved) {
      // Where it was there may soon be another.
      this.#forget(sa);
      return moved.lost;
    }
    const { device } = moved;
    this.#sas.rename(sa, () => Object.assign(sa, { local, remote, encapsulated, device }));
    const result = this.#refreshPolicies(childId);
    return result.ok ? carriedOut(sa.device) : result;
  }

  #installPolicy(parameters: PolicyParameters): SaResult {
    if (parameters.action === 'protect' && parameters.childId === undefined)
      return refuse('failed', 'a protect policy names the pair that protects');
    if (parameters.action === 'trap' && !this.#traps.has(parameters.policyId))
      this.#traps.set(parameters.policyId, this.#ids.take());
    const templates = this.#templatesOf(parameters);
    if (templates === undefined && (parameters.action === 'protect' || parameters.action === 'trap'))
      return refuse('missing', 'the pair has no SAs');
    return this.#setPolicy(parameters, templates);
  }

  #setPolicy(parameters: PolicyParameters, templates: PolicyTemplates | undefined): SaResult {
    const pair = parameters.childId === undefined ? undefined : this.#sas.pair(parameters.childId);
    const result = setPolicy(this.#policies, { parameters, templates }, pair);
    // Packets of a device's SA pass by policies that are not the device's.
    if (pair?.packetOffload === false) for (const sa of pair.sas) if (sa.isNumberedByDevice) this.#end(sa);
    return result;
  }

  /** A device has counted the packets, and nobody else: with its numbers an SA cannot go on without it. It is replaced. */
  #end(sa: KernelSa): void {
    if (sa.ended) return;
    this.#delete(sa);
    sa.ended = true;
    sa.device = undefined;
    const { protocol, direction, spi, childId } = sa;
    this.#events.push({ kind: 'soft-expired', protocol, direction, spi, childId });
  }

  #removePolicy(policyId: number): SaResult {
    if (!this.#policies.remove(policyId)) return refuse('missing', `no policy ${policyId}`);
    const requestId = this.#traps.get(policyId);
    if (requestId !== undefined) this.#ids.give(requestId);
    this.#traps.delete(policyId);
    this.#releaseIfUnused(policyId);
    return done;
  }

  #refreshPolicies(childId: number): SaResult {
    for (const { parameters } of this.#policies.ofChild(childId)) {
      const templates = this.#templatesOf(parameters);
      if (templates === undefined) continue;
      const result = this.#setPolicy(parameters, templates);
      if (!result.ok) return result;
    }
    return done;
  }

  #templatesOf(parameters: PolicyParameters): PolicyTemplates | undefined {
    const { action, policyId, childId } = parameters;
    if (action === 'trap') return trapTemplates(parameters, this.#traps.get(policyId)!);
    const pair = childId === undefined ? undefined : this.#sas.pair(childId);
    return pair && pairTemplates(pair);
  }
}

/** Whether numbers were used before this process. */
function isBehind({ reservation }: SaParameters): boolean {
  return reservation !== undefined && (reservation.last.high !== 0 || reservation.last.low !== 0);
}
