// The kernel as data plane: SA commands become changes of its SAD and SPD, its messages become data-plane events.
import {
  addressBytes,
  type DataPlaneEvent,
  type IpAddress,
  type SaCommand,
  type SaProtocol,
  type SaResult,
} from '#sa';
import type { XfrmMessage, XfrmState } from '#wire';
import { SystemCallError } from '../libc/errno.ts';
import { KernelMessages } from './kernel-messages.ts';
import { PairPolicies } from './policies/pair-policies.ts';
import { PolicyRestoration } from './policies/policy-restoration.ts';
import { PolicyTable } from './policies/policy-table.ts';
import { refuse, unlessRefused } from './refusal.ts';
import { RequestIds } from './request-ids.ts';
import { KernelReports } from './states/kernel-reports.ts';
import type { KernelSa } from './states/kernel-sa.ts';
import { familyOf, protocolNumber } from './states/kernel-state.ts';
import { LarvalStates } from './states/larval-states.ts';
import { SaInstallation } from './states/sa-installation.ts';
import { SaMoves } from './states/sa-moves.ts';
import { SaPairs } from './states/sa-pairs.ts';
import { SaRemoval } from './states/sa-removal.ts';
import { StateAdder } from './states/state-adder.ts';
import { ToldStates } from './states/told-states.ts';
import { XfrmSocket } from './xfrm-socket.ts';

const done: SaResult = { ok: true };
type Command<Kind extends SaCommand['kind']> = Extract<SaCommand, { readonly kind: Kind }>;

/** Answers at once: the kernel carries out a request before the system call returns. Drain `poll` after each call. */
export class KernelDataPlane {
  readonly #socket: XfrmSocket;
  readonly #ids: RequestIds;
  readonly #sas = new SaPairs();
  readonly #told: ToldStates;
  readonly #larval: LarvalStates;
  readonly #messages: KernelMessages;
  readonly #table: PolicyTable;
  readonly #installation: SaInstallation;
  readonly #moves: SaMoves;
  readonly #removal: SaRemoval;
  readonly #policies: PairPolicies;
  readonly #restoration: PolicyRestoration;
  readonly #events: DataPlaneEvent[] = [];
  readonly reports: KernelReports;

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
    const ids = new RequestIds(ownerName);
    const sas = this.#sas;
    const traps = new Map<number, number>();
    const tell = (event: DataPlaneEvent): void => void this.#events.push(event);
    this.#socket = socket;
    this.#ids = ids;
    this.#larval = new LarvalStates(socket);
    this.#told = new ToldStates(socket, ids);
    this.#messages = new KernelMessages({ sas, traps, larval: this.#larval, told: this.#told, tell });
    this.#table = new PolicyTable(socket, ids, warn);
    this.#restoration = new PolicyRestoration(this.#table);
    const shared = { socket, ids, sas };
    const removal = new SaRemoval({ ...shared, policies: this.#table, messages: this.#messages, tell });
    const states = new StateAdder({
      socket,
      isLarval: (state) => ids.isLarval(state),
      takeBack: (added) => removal.takeBack(added),
    });
    this.#removal = removal;
    this.#policies = new PairPolicies({ table: this.#table, ids, sas, traps, removal });
    this.#installation = new SaInstallation({ ...shared, told: this.#told, states, removal });
    this.#moves = new SaMoves({ socket, sas, states, policies: this.#policies, removal });
    this.reports = new KernelReports(socket, sas, ({ protocol, spi, childId }) =>
      tell({ kind: 'first-inbound', protocol, spi, childId }),
    );
    try {
      // Numbers of a process before us are not given to other pairs as long as its SAs may be taken up.
      for (const { state } of this.#told.own()) ids.keep(state.requestId);
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
        return this.#installation.install(command.sa);
      case 'use-outbound':
        return this.#useOutbound(command);
      case 'update-addresses':
        return this.#moves.move(command);
      case 'extend-reservation':
        // The kernel's own counter outlives this process: nothing is to be reserved.
        return this.#sas.find(command) === undefined
          ? refuse('missing', `the pair has no such ${command.direction} SA`)
          : done;
      case 'remove':
        return this.#removal.remove(command, at);
      case 'install-policy':
        return this.#policies.install(command.policy);
      case 'remove-policy':
        return this.#policies.remove(command.policyId);
    }
  }

  #useOutbound(command: Command<'use-outbound'>): SaResult {
    const sa = this.#sas.find({ ...command, direction: 'outbound' });
    if (sa === undefined) return refuse('missing', 'the pair has no such outbound SA');
    const pair = this.#sas.pair(command.childId)!;
    const before = pair.outbound;
    pair.outbound = sa;
    const result = this.#policies.refresh(command.childId);
    if (!result.ok) pair.outbound = before;
    return result;
  }

  /**
   * A message of the kernel's own accord. False: what it means could not be asked, and is to be looked up (`lookUpLost`).
   * @param at monotonic milliseconds
   */
  take(message: XfrmMessage, at: number): boolean {
    return unlessRefused(() => {
      this.#messages.take(message, at);
      return true;
    }, false);
  }

  /** A policy has gone, or all of them have: ours come back if it was not us. @param at monotonic milliseconds */
  takeRemoval(message: XfrmMessage, at: number): void {
    this.#restoration.takeRemoval(message, at);
  }

  restorePolicies(at: number): void {
    this.#restoration.restore(at);
  }

  /** Places in the kernel's SPD that somebody had cleared. */
  get policiesRestored(): number {
    return this.#restoration.restored;
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
      this.#removal.deadline(),
      this.#restoration.deadline(),
    );
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  handleTimeout(at: number): void {
    this.#larval.handleTimeout(at);
    this.#removal.handleTimeout(at);
    this.#restoration.handleTimeout(at);
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
    this.#table.removeEarlier();
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
      for (const { parameters } of this.#table.all()) this.#table.remove(parameters.policyId);
      this.#removal.handleTimeout(Number.POSITIVE_INFINITY);
      for (const sa of this.#sas.all()) unlessRefused(() => this.#removal.delete(sa), undefined);
      // Of some requests nobody has heard yet.
      for (const { state, lookup } of unlessRefused(() => this.#told.all(), []))
        if (this.#ids.isLarval(state)) unlessRefused(() => this.#larval.end(state, lookup), undefined);
      this.#sas.clear();
    } finally {
      this.#socket.close();
    }
  }
}
