// The kernel as data plane: SA commands become changes of its SAD and SPD, its messages become data-plane events.

import { LingeringSas } from '#ipsec';
import {
  addressBytes,
  addressFromBytes,
  type DataPlaneEvent,
  type IpAddress,
  isNegotiableSpi,
  type PolicyParameters,
  type SaCommand,
  type SaDirection,
  type SaParameters,
  type SaProtocol,
  type SaResult,
  type Spi,
} from '#sa';
import {
  XfrmGroup,
  type XfrmLifetimeUsed,
  type XfrmMessage,
  XfrmMode,
  type XfrmState,
  type XfrmTemplate,
} from '#wire';
import { SystemCallError } from '../errno.ts';
import type { SaReport } from '../packet-thread/messages.ts';
import { KernelSa, stateKey } from './kernel-sa.ts';
import { acquiredSelectors } from './kernel-selectors.ts';
import {
  familyOf,
  isSameState,
  type KernelState,
  kernelState,
  modeNumber,
  movedState,
  protocolNumber,
  replayWindowPacketsMax,
  stateId,
  wipeKeys,
} from './kernel-state.ts';
import { type LookupAttributes, lookupAttributes, lookupAttributesOf } from './kernel-ties.ts';
import { LarvalStates } from './larval-states.ts';
import { PolicyTable, type PolicyTemplates } from './policy-table.ts';
import { RequestIds } from './request-ids.ts';
import { type XfrmMessageOf, XfrmSocket } from './xfrm-socket.ts';

const done: SaResult = { ok: true };
const allAlgorithms = 0xffff_ffff;
/** A mapping that the engine did not follow is told again after this time. */
const mappingIntervalMs = 1_000;

type Command<Kind extends SaCommand['kind']> = Extract<SaCommand, { readonly kind: Kind }>;

function refuse(
  code: Extract<SaResult, { readonly ok: false }>['code'],
  detail: string,
): Extract<SaResult, { readonly ok: false }> {
  return { ok: false, code, detail };
}

/** An SA that the kernel tells of, without its keys. */
interface ToldState {
  readonly state: XfrmState;
  readonly lookup: LookupAttributes;
}

interface Pair {
  readonly childId: number;
  readonly requestId: number;
  /** Of the SA that sends. */
  outbound: KernelSa | undefined;
  readonly sas: Set<KernelSa>;
}

/** Answers at once: the kernel carries out a request before the system call returns. Drain `poll` after each call. */
export class KernelDataPlane {
  readonly #socket = new XfrmSocket();
  readonly #ids: RequestIds;
  readonly #policies: PolicyTable;
  readonly #sas = new Map<string, KernelSa>();
  readonly #pairs = new Map<number, Pair>();
  /** Request IDs of trap policies, which have no pair yet. */
  readonly #traps = new Map<number, number>();
  readonly #larval: LarvalStates;
  readonly #events: DataPlaneEvent[] = [];
  readonly #mappingsToldAt = new Map<string, number>();
  readonly #lingering = new LingeringSas();

  /**
   * @param ownerName the same at each start of this daemon, and no other's of this network namespace
   * @throws SystemCallError EPROTONOSUPPORT without XFRM in this kernel, EPERM without CAP_NET_ADMIN
   */
  constructor(ownerName: string) {
    this.#ids = new RequestIds(ownerName);
    this.#policies = new PolicyTable(this.#socket, (id) => this.#ids.isOurs(id));
    this.#larval = new LarvalStates(this.#socket);
    // Numbers of a process before us are not given to other pairs as long as its SAs may be taken up.
    for (const { state } of this.#ownStates()) this.#ids.keep(state.requestId);
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
        return this.#find(command) === undefined
          ? refuse('missing', `the pair has no such ${command.direction} SA`)
          : done;
      case 'remove':
        return this.#lingers(command, at) ? done : this.#remove(command);
      case 'install-policy':
        return this.#installPolicy(command.policy);
      case 'remove-policy':
        return this.#removePolicy(command.policyId);
    }
  }

  /** A message of the kernel's own accord. @param at monotonic milliseconds */
  take(message: XfrmMessage, at: number): void {
    switch (message.kind) {
      case 'acquire':
        this.#takeAcquire(message, at);
        break;
      case 'expire':
        this.#takeExpire(message);
        break;
      case 'mapping':
        this.#takeMapping(message, at);
        break;
      case 'delete-sa':
        this.#expireIfGone(this.#sas.get(stateKey(message.id)));
        break;
      case 'flush-sas':
        for (const sa of [...this.#sas.values()]) this.#expireIfGone(sa);
        break;
      default:
        break;
    }
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
    );
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  handleTimeout(at: number): void {
    this.#larval.handleTimeout(at);
    for (const command of this.#lingering.takeDue(at)) this.#remove(command);
  }

  /** How many SAs there are. */
  get size(): number {
    return this.#sas.size;
  }

  /** SPIs on which we receive. */
  inboundSpis(): number[] {
    return [...this.#sas.values()].flatMap(({ direction, spi }) => (direction === 'inbound' ? [spi] : []));
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
    if (this.#sas.has(stateKey(id))) return true;
    const found = this.#socket.requestIfThere({ kind: 'get-sa', id, attributes: {} });
    for (const { attributes } of found ?? []) wipeKeys(attributes);
    return found !== undefined;
  }

  /** SAs that are not ours, of all that there are. */
  foreignStates(): XfrmState[] {
    return this.#states()
      .map(({ state }) => state)
      .filter((state) => !this.#ids.isOurState(state));
  }

  #states(): ToldState[] {
    const states: ToldState[] = [];
    for (const message of this.#socket.request({ kind: 'dump-sas', attributes: {} })) {
      wipeKeys(message.attributes);
      if (message.kind === 'new-sa')
        states.push({ state: message.state, lookup: lookupAttributesOf(message.attributes) });
    }
    return states;
  }

  #ownStates(): ToldState[] {
    return this.#states().filter(({ state }) => this.#ids.isOurState(state));
  }

  /** Removes SAs and policies that a process before us left and this one did not take up. Returns how many SAs. */
  removeEarlier(): number {
    let removed = 0;
    this.#policies.removeEarlier();
    for (const { state, lookup } of this.#ownStates()) {
      const { family, destination, spi, protocol, requestId } = state;
      const id = { family, destination, spi, protocol };
      if (this.#sas.has(stateKey(id))) continue;
      this.#socket.requestIfThere({ kind: 'delete-sa', id, attributes: lookup });
      if (![...this.#pairs.values()].some((pair) => pair.requestId === requestId)) this.#ids.give(requestId);
      removed++;
    }
    return removed;
  }

  /** Asks for the counters of all SAs; those that moved. @param failed packets were refused since the last time */
  report(at: number, failed: boolean): SaReport[] {
    const reports: SaReport[] = [];
    for (const sa of this.#sas.values()) {
      const moved = this.#readUsage(sa, at);
      const refused = failed && sa.direction === 'inbound' && this.#readFailures(sa);
      if (!moved && !refused) continue;
      const { protocol, direction, spi, childId } = sa;
      reports.push({ protocol, direction, spi, childId, counters: sa.counters() });
    }
    return reports;
  }

  #readUsage(sa: KernelSa, at: number): boolean {
    const used = this.#ask(sa);
    if (used === undefined || Number(used.packets) === sa.packets) return false;
    const first = sa.packets === 0;
    sa.packets = Number(used.packets);
    sa.bytes = Number(used.bytes);
    sa.lastUsedAt = at;
    if (first && sa.direction === 'inbound') this.#firstInbound(sa);
    return true;
  }

  /** How much an SA was used; undefined if it is gone. Unlike the SA itself this answer holds no keys. */
  #ask(sa: KernelSa): XfrmLifetimeUsed | undefined {
    const source = sa.direction === 'inbound' ? sa.remote.address : sa.local.address;
    const event = { id: sa.id, source: addressBytes(source), flags: 0, requestId: sa.requestId };
    return this.#socket.requestIfThere({ kind: 'get-event', event, attributes: sa.lookup })?.[0]?.attributes
      .used;
  }

  #firstInbound({ protocol, spi, childId }: KernelSa): void {
    this.#events.push({ kind: 'first-inbound', protocol, spi, childId });
  }

  #readFailures(sa: KernelSa): boolean {
    const answer = this.#socket.requestIfThere({ kind: 'get-sa', id: sa.id, attributes: sa.lookup })?.[0];
    if (answer?.kind !== 'new-sa') return false;
    wipeKeys(answer.attributes);
    const { integrityFailures, replays, replayWindowFailures } = answer.state;
    const refused = replays + replayWindowFailures;
    if (sa.integrityFailures === integrityFailures && sa.replays === refused) return false;
    sa.integrityFailures = integrityFailures;
    sa.replays = refused;
    return true;
  }

  /** Removes everything of ours. */
  close(): void {
    for (const { parameters } of this.#policies.all()) this.#policies.remove(parameters.policyId);
    for (const { id, lookup } of this.#sas.values())
      this.#socket.requestIfThere({ kind: 'delete-sa', id, attributes: lookup });
    this.#larval.handleTimeout(Number.POSITIVE_INFINITY);
    this.#sas.clear();
    this.#socket.close();
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
    if (this.#sas.has(stateKey(id))) return refuse('exists', `the ${sa.direction} SPI is taken`);
    const there = this.#stateThere(sa);
    if (there !== undefined && !this.#ids.isOurState(there.state))
      return refuse('exists', `the ${sa.direction} SPI is another key manager's`);
    const requestId = this.#pairs.get(childId)?.requestId ?? this.#requestIdLike(there) ?? this.#ids.take();
    const wanted = kernelState(sa, requestId, this.#ids.stateTag);
    if (wanted === undefined) return refuse('unsupported', 'an algorithm that the kernel has no name for');
    const goesOn = there !== undefined && there.state.requestId === requestId && isSameState(there, wanted);
    if (there !== undefined) wipeKeys(there.attributes);
    if (!goesOn) {
      // Numbers that may have been used are the kernel's to know, and it has forgotten them.
      if (isBehind(sa)) return refuse('missing', 'the kernel has no SA that could go on');
      if (there !== undefined)
        this.#socket.requestIfThere({
          kind: 'delete-sa',
          id,
          attributes: lookupAttributesOf(there.attributes),
        });
      const refusal = this.#add(wanted);
      if (refusal !== undefined) {
        if (!this.#pairs.has(childId)) this.#ids.give(requestId);
        return refusal;
      }
    }
    const known = new KernelSa(sa, requestId);
    if (goesOn) {
      const used = this.#ask(known);
      known.packets = Number(used?.packets ?? 0n);
      known.bytes = Number(used?.bytes ?? 0n);
    }
    this.#know(known);
    return done;
  }

  #stateThere(sa: SaParameters): KernelState | undefined {
    const attributes = lookupAttributes(sa.kernelTies);
    const answer = this.#socket.requestIfThere({ kind: 'get-sa', id: stateId(sa), attributes })?.[0];
    return answer?.kind === 'new-sa' ? answer : undefined;
  }

  /** SAs of a process before us keep the number of their pair, so that its policies go on to fit. */
  #requestIdLike(there: KernelState | undefined): number | undefined {
    const requestId = there?.state.requestId;
    if (requestId === undefined) return undefined;
    for (const pair of this.#pairs.values()) if (pair.requestId === requestId) return undefined;
    this.#ids.keep(requestId);
    return requestId;
  }

  #add({ state, attributes }: KernelState): SaResult | undefined {
    try {
      this.#socket.request({ kind: 'new-sa', state, attributes });
      return undefined;
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      if (error.code === 'EEXIST') return refuse('exists', error.message);
      // EPROTONOSUPPORT, and ENOSYS for an algorithm that this kernel was built without.
      const unsupported = ['EPROTONOSUPPORT', 'ENOSYS', 'ENOENT', 'EOPNOTSUPP'].includes(error.code);
      return refuse(unsupported ? 'unsupported' : 'failed', error.message);
    }
  }

  #know(sa: KernelSa): void {
    const { childId, requestId } = sa;
    const pair = this.#pairs.get(childId) ?? { childId, requestId, outbound: undefined, sas: new Set() };
    this.#pairs.set(childId, pair);
    pair.sas.add(sa);
    this.#sas.set(sa.key, sa);
  }

  #find(command: {
    readonly direction: SaDirection;
    readonly protocol: SaProtocol;
    readonly spi: Spi;
    readonly childId: number;
  }): KernelSa | undefined {
    for (const sa of this.#pairs.get(command.childId)?.sas ?? []) {
      if (sa.direction === command.direction && sa.protocol === command.protocol && sa.spi === command.spi)
        return sa;
    }
    return undefined;
  }

  #useOutbound(command: Command<'use-outbound'>): SaResult {
    const sa = this.#find({ ...command, direction: 'outbound' });
    if (sa === undefined) return refuse('missing', 'the pair has no such outbound SA');
    this.#pairs.get(command.childId)!.outbound = sa;
    return this.#refreshPolicies(command.childId);
  }

  /** Whether it is carried out later. */
  #lingers(command: Command<'remove'>, at: number): boolean {
    const { protocol, direction, spi } = command;
    if (direction === 'outbound') return false;
    this.#lingering.take(protocol, spi);
    const there = [...this.#sas.values()].some(
      (sa) => sa.protocol === protocol && sa.direction === direction && sa.spi === spi,
    );
    return there && this.#lingering.postpone(command, at);
  }

  #remove({ protocol, direction, spi, remote }: Command<'remove'>): SaResult {
    for (const [key, sa] of this.#sas) {
      if (sa.protocol !== protocol || sa.direction !== direction || sa.spi !== spi) continue;
      if (direction === 'outbound' && sa.remote.address !== remote) continue;
      this.#socket.requestIfThere({ kind: 'delete-sa', id: sa.id, attributes: sa.lookup });
      this.#sas.delete(key);
      this.#forget(sa);
      return done;
    }
    return refuse('missing', `no such ${direction} SA`);
  }

  #forget(sa: KernelSa): void {
    this.#mappingsToldAt.delete(sa.key);
    const pair = this.#pairs.get(sa.childId);
    if (pair === undefined) return;
    pair.sas.delete(sa);
    if (pair.outbound === sa) pair.outbound = undefined;
    this.#releaseIfUnused(pair);
  }

  #releaseIfUnused(pair: Pair): void {
    if (pair.sas.size > 0 || this.#policies.get(pair.childId) !== undefined) return;
    this.#pairs.delete(pair.childId);
    this.#ids.give(pair.requestId);
  }

  /**
   * The kernel cannot move an SA, and its migration lets packets take numbers from the old SA and the new one at once. So the
   * old one ends first, and the message about its end says how far it was.
   */
  #move(command: Command<'update-addresses'>): SaResult {
    const { direction, local, remote, encapsulated, childId } = command;
    const sa = this.#find(command);
    if (sa === undefined) return refuse('missing', `the pair has no such ${direction} SA`);
    if (sa.protocol === 'ah' && encapsulated) return refuse('unsupported', 'AH in UDP');
    if (isAt(sa, command)) return done;
    const last = this.#deleteAndKeep(sa);
    if (last === undefined) return refuse('missing', 'the kernel does not have the SA any more');
    this.#sas.delete(sa.key);
    const moved = movedState(last, direction, local, remote, encapsulated);
    const refusal = this.#add(moved);
    wipeKeys(last.attributes);
    if (refusal !== undefined) return refusal;
    sa.local = local;
    sa.remote = remote;
    sa.encapsulated = encapsulated;
    this.#sas.set(sa.key, sa);
    return this.#refreshPolicies(childId);
  }

  #deleteAndKeep(sa: KernelSa): KernelState | undefined {
    const socket = new XfrmSocket([XfrmGroup.SA]);
    try {
      const told = socket.requestIfThere({ kind: 'delete-sa', id: sa.id, attributes: sa.lookup }) ?? [];
      for (const message of told) {
        const { state } = message.attributes;
        if (message.kind === 'delete-sa' && state !== undefined && stateKey(state) === sa.key)
          return { state, attributes: message.attributes };
      }
      return undefined;
    } finally {
      socket.close();
    }
  }

  #installPolicy(parameters: PolicyParameters): SaResult {
    if (parameters.action === 'protect' && parameters.childId === undefined)
      return refuse('failed', 'a protect policy names the pair that protects');
    if (parameters.action === 'trap' && !this.#traps.has(parameters.policyId))
      this.#traps.set(parameters.policyId, this.#ids.take());
    const templates = this.#templatesOf(parameters);
    if (templates === undefined && (parameters.action === 'protect' || parameters.action === 'trap'))
      return refuse('missing', 'the pair has no SAs');
    return this.#policies.set({ parameters, templates });
  }

  #removePolicy(policyId: number): SaResult {
    if (!this.#policies.remove(policyId)) return refuse('missing', `no policy ${policyId}`);
    const requestId = this.#traps.get(policyId);
    if (requestId !== undefined) this.#ids.give(requestId);
    this.#traps.delete(policyId);
    const pair = this.#pairs.get(policyId);
    if (pair !== undefined) this.#releaseIfUnused(pair);
    return done;
  }

  #refreshPolicies(childId: number): SaResult {
    for (const { parameters } of this.#policies.all()) {
      if (parameters.childId !== childId) continue;
      const templates = this.#templatesOf(parameters);
      if (templates === undefined) continue;
      const result = this.#policies.set({ parameters, templates });
      if (!result.ok) return result;
    }
    return done;
  }

  #templatesOf(parameters: PolicyParameters): PolicyTemplates | undefined {
    if (parameters.action === 'trap') return this.#trapTemplates(parameters);
    const pair = parameters.childId === undefined ? undefined : this.#pairs.get(parameters.childId);
    if (pair === undefined) return undefined;
    const of = (direction: SaDirection): KernelSa[] =>
      [...pair.sas].filter((sa) => sa.direction === direction);
    const outbound = pair.outbound ?? of('outbound')[0];
    const inbound = of('inbound')[0];
    if (outbound === undefined || inbound === undefined) return undefined;
    return {
      outbound: template(outbound, outbound.spi),
      inbound: template(inbound, 0),
    };
  }

  /** The peer's address is not known yet, and the kernel does not need it to ask for an SA. */
  #trapTemplates({ policyId, mode, selectors }: PolicyParameters): PolicyTemplates {
    const ipv6 = selectors.remote[0]?.start.includes(':') ?? false;
    const one: XfrmTemplate = {
      ...placeholder(ipv6),
      spi: 0,
      protocol: protocolNumber('esp'),
      requestId: this.#traps.get(policyId)!,
      mode: modeNumber(mode),
      ...anyAlgorithm,
    };
    return { outbound: one, inbound: { ...one, optional: true } };
  }

  #takeAcquire({ acquire, attributes }: XfrmMessageOf<'acquire'>, at: number): void {
    const [wanted] = attributes.templates ?? [];
    for (const [policyId, requestId] of this.#traps) {
      if (wanted?.requestId !== requestId) continue;
      this.#larval.add(acquire, wanted, lookupAttributesOf(attributes), at);
      const { local, remote } = acquiredSelectors(acquire.selector);
      this.#events.push({ kind: 'acquire', policyId, local: local[0]!, remote: remote[0]! });
      return;
    }
  }

  #takeExpire({ state, hard }: XfrmMessageOf<'expire'>): void {
    const sa = this.#sas.get(stateKey(state));
    if (sa === undefined) return;
    const { protocol, direction, spi, childId } = sa;
    this.#events.push({
      kind: hard ? 'hard-expired' : 'soft-expired',
      ...{ protocol, direction, spi, childId },
    });
  }

  /** Somebody else removed an SA of ours: it is over, and its peer should know. */
  #expireIfGone(sa: KernelSa | undefined): void {
    if (sa === undefined || this.#ask(sa) !== undefined) return;
    const { protocol, direction, spi, childId } = sa;
    this.#events.push({ kind: 'hard-expired', protocol, direction, spi, childId });
  }

  #takeMapping({ mapping }: XfrmMessageOf<'mapping'>, at: number): void {
    const sa = this.#sas.get(stateKey(mapping.id));
    if (sa === undefined) return;
    const remote = { address: addressFromBytes(mapping.newSource), port: mapping.newSourcePort };
    const text = `${remote.address} ${remote.port}`;
    const told = this.#mappingsToldAt.get(sa.key) ?? Number.NEGATIVE_INFINITY;
    // Every packet says so until the SA has followed.
    if (sa.mapping === text && at - told < mappingIntervalMs) return;
    sa.mapping = text;
    this.#mappingsToldAt.set(sa.key, at);
    const { protocol, spi, childId } = sa;
    this.#events.push({ kind: 'mapping-changed', protocol, spi, childId, remote });
  }
}

const anyAlgorithm = {
  share: 0,
  optional: false,
  authenticationAlgorithms: allAlgorithms,
  encryptionAlgorithms: allAlgorithms,
  compressionAlgorithms: allAlgorithms,
};

function template(sa: KernelSa, spi: number): XfrmTemplate {
  const inbound = sa.direction === 'inbound';
  const [source, destination] = inbound ? [sa.remote, sa.local] : [sa.local, sa.remote];
  const mode = modeNumber(sa.mode);
  const none = new Uint8Array(addressBytes(sa.local.address).length);
  return {
    family: familyOf(sa.local.address),
    // In transport mode the packet's own addresses are those of the SA.
    source: mode === XfrmMode.TRANSPORT ? none : addressBytes(source.address),
    destination: mode === XfrmMode.TRANSPORT ? none : addressBytes(destination.address),
    spi,
    protocol: protocolNumber(sa.protocol),
    requestId: sa.requestId,
    mode,
    ...anyAlgorithm,
  };
}

/** A source, so that the kernel looks for no route to a peer whose address nobody has told. */
function placeholder(ipv6: boolean): Pick<XfrmTemplate, 'family' | 'source' | 'destination'> {
  const bytes = (text: string): Uint8Array => addressBytes(text as IpAddress);
  return ipv6
    ? { family: familyOf('::' as IpAddress), source: bytes('::1'), destination: bytes('::') }
    : {
        family: familyOf('0.0.0.0' as IpAddress),
        source: bytes('127.0.0.1'),
        destination: bytes('0.0.0.0'),
      };
}

/** Whether numbers were used before this process. */
function isBehind({ reservation }: SaParameters): boolean {
  return reservation !== undefined && (reservation.last.high !== 0 || reservation.last.low !== 0);
}

function isAt(sa: KernelSa, { local, remote, encapsulated }: Command<'update-addresses'>): boolean {
  const samePlace = sa.local.address === local.address && sa.remote.address === remote.address;
  if (!samePlace || sa.encapsulated !== encapsulated) return false;
  return !encapsulated || (sa.local.port === local.port && sa.remote.port === remote.port);
}
