// Everything one host remembers, shared by the files of this room. Users see `Engine`.
import type { Randomness } from '#crypto';
import { type ChildConfiguration, type ConnectionConfiguration, CookieIssuer, type TicketIssuer } from '#ike';
import { DeadlineQueue, type Endpoint, type IpAddress, type SaCommand, type SaResult, type Spi } from '#sa';
import {
  noClaims,
  OwnerView,
  type SpiClaims,
  type SpiOwnership,
  soleOwnership,
  tokenNotify,
} from '#unknown-spi';
import type { IkeSpi, NotifyPayload } from '#wire';
import { Checkpoint, type CheckpointOptions } from './checkpoint/checkpoint.ts';
import { Initiations } from './commands/initiations.ts';
import { PendingCommands } from './commands/pending-commands.ts';
import type { EngineConfiguration, UnknownSpiConfiguration } from './configuration.ts';
import { addressFit, ConnectionLookup } from './connection-lookup.ts';
import { EventCounts } from './events/event-counts.ts';
import { GuessBrake } from './guesses/guess-brake.ts';
import type { HipSide } from './hip/hip-side.ts';
import { HalfOpenTable } from './ike-sas/half-open-table.ts';
import { type IkeEntry, IkeSaRegistry } from './ike-sas/ike-sa-registry.ts';
import { RestartDamping } from './ike-sas/restart-damping.ts';
import type {
  CommandResult,
  EngineEvent,
  EngineOutput,
  IkeContext,
  RecoveryRung,
  RecoveryStep,
} from './interface.ts';
import { LeadingPolicies } from './policies/leading-policies.ts';
import { type Trap, TrapPolicies, trapPolicy } from './policies/trap-policies.ts';
import { openRecoveryRecords, sealRecoveryRecord } from './recovery/records.ts';
import { defaultUnknownSpiConfiguration, givesTokens, RecoveryState } from './recovery/recovery-state.ts';
import { ClientTickets, newTicketIssuer } from './resumption/resumption.ts';
import { openTicketRecords, TicketRecords } from './resumption/ticket-records.ts';
import { SpiAllocator } from './spi-allocator.ts';
import { TokenBucket } from './token-bucket.ts';
import { withMarker } from './udp-encapsulation.ts';
import { AddressPools } from './virtual-addresses/address-pools.ts';

/** What an engine is made of. */
export interface EngineOptions {
  readonly randomness: Randomness;
  readonly configuration: EngineConfiguration;
  /** Makes the engine emit `key-log` outputs. Off unless somebody asks for it. */
  readonly keyLog?: boolean;
  /**
   * Into how many groups the remainder of an inbound SPI parts SAs, for a data plane that has each group elsewhere: a rekeyed
   * Child SA stays in the group of the one that it replaces. 1 by default.
   */
  readonly spiGroups?: number;
  /** What former engines of this host asked to `store`, by key. Unreadable records are refused and counted. */
  readonly stored?: ReadonlyMap<string, Uint8Array>;
  /**
   * 32 octets from a place of their own (not the records'): everything is stored sealed under it. Without it a restart ends
   * all tickets (RFC 5723), and the history and the token secrets are stored as they are.
   */
  readonly recordKey?: Uint8Array;
  /**
   * Keep what it takes to go on with IKE SAs and Child SAs after a restart, and go on with what was kept. Needs `recordKey`, and
   * a driver that never runs two engines on the same records.
   */
  readonly checkpoint?: CheckpointOptions;
}

type StoreOutput = Extract<EngineOutput, { readonly kind: 'store' }>;

const cookieSecretLifetimeMs = 60_000;

export class EngineState {
  readonly randomness: Randomness;
  readonly keyLog: boolean;
  readonly outputs: EngineOutput[] = [];
  /** Nothing is answered to unknown SPIs before this: SAs that are taken over, and other owners, must be known first. */
  ready = true;
  readonly deadlines: DeadlineQueue = new DeadlineQueue();
  readonly registry: IkeSaRegistry = new IkeSaRegistry();
  readonly halfOpen: HalfOpenTable = new HalfOpenTable();
  readonly guesses: GuessBrake = new GuessBrake();
  /** Datagrams of half-open IKE SAs to where none was begun: what is in them may be longer than what asks for it. */
  readonly answersElsewhere: TokenBucket = new TokenBucket(20, 60);
  readonly pools: AddressPools = new AddressPools();
  readonly spis: SpiAllocator;
  /** Whose SPIs are whose on this host. */
  owners: OwnerView = new OwnerView(soleOwnership, noClaims);
  #ownership: SpiOwnership = soleOwnership;
  #claims: SpiClaims = noClaims;
  readonly cookies: CookieIssuer;
  readonly recovery: RecoveryState;
  readonly initiations: Initiations = new Initiations();
  /** As gateway. */
  readonly tickets: TicketIssuer;
  readonly clientTickets: ClientTickets;
  readonly ticketRecords: TicketRecords;
  readonly checkpoint: Checkpoint;
  readonly restarts: RestartDamping = new RestartDamping();
  readonly traps: TrapPolicies = new TrapPolicies();
  readonly eventCounts: EventCounts = new EventCounts();
  readonly leadingPolicies: LeadingPolicies = new LeadingPolicies();
  readonly pending: PendingCommands = new PendingCommands((id, result) => this.answer(id, result));
  /** Identity pairs that have an IKE SA since the start, or an attempt that says INITIAL_CONTACT (RFC 7296 2.4). */
  readonly contacted: Set<string> = new Set();
  #configuration: EngineConfiguration;
  #connections: ConnectionLookup;
  at = 0;
  wallClockOffsetMs = 0;
  shuttingDown = false;
  /** By which others may reach this host, as far as it was told. */
  ownAddresses: readonly IpAddress[] = [];
  /** Addresses that were among these, and that IKE SAs had which have not moved yet. */
  lostAddresses: ReadonlySet<IpAddress> = new Set();
  /** Absent: this host has no Host Identity. */
  hip: HipSide | undefined;
  /** What is to be done once a record is durable. */
  readonly #awaitedStores = new Map<number, () => void>();
  /** Which IKE SA waits for the result of a command or job, and under which number of its own. */
  readonly #awaited = new Map<number, { readonly ikeId: number; readonly id: number }>();
  /** What waits for the data plane, by the command that it carries out last. */
  readonly #onceCarriedOut = new Map<number, () => void>();
  readonly #awaitedByHip = new Map<number, number>();
  readonly #touched = new Set<IkeEntry>();
  #nextAwaitedId = 1;
  #nextChildId = 1;

  readonly #recordKey: Uint8Array | undefined;

  constructor(options: EngineOptions) {
    this.#recordKey = options.recordKey;
    this.randomness = options.randomness;
    this.keyLog = options.keyLog ?? false;
    this.#configuration = options.configuration;
    this.#connections = new ConnectionLookup(options.configuration.connections);
    this.pools.configure(options.configuration.pools);
    this.spis = new SpiAllocator(options.randomness, options.spiGroups);
    this.recovery = new RecoveryState(options.randomness, this.unknownSpi);
    this.checkpoint = new Checkpoint(options.randomness, options.recordKey, options.checkpoint);
    this.ticketRecords = new TicketRecords(options.randomness, options.recordKey);
    const restored = openTicketRecords(options.recordKey, options.stored);
    this.tickets = newTicketIssuer(this, restored.gateway);
    this.clientTickets = new ClientTickets(this, restored.client);
    this.cookies = new CookieIssuer(options.randomness, cookieSecretLifetimeMs);
  }

  get configuration(): EngineConfiguration {
    return this.#configuration;
  }

  set configuration(configuration: EngineConfiguration) {
    this.#configuration = configuration;
    this.#connections = new ConnectionLookup(configuration.connections);
  }

  /** Of the configuration. */
  get connections(): ConnectionLookup {
    return this.#connections;
  }

  /** The IKE SA was given something: its outputs are due before this input is done with. */
  touch(entry: IkeEntry): void {
    this.registry.settle(entry);
    this.#touched.add(entry);
    if (entry.parent !== undefined) this.#touched.add(entry.parent);
    for (const heir of entry.offspring) this.#touched.add(heir);
  }

  takeTouched(): IkeEntry | undefined {
    for (const first of this.#touched) {
      this.#touched.delete(first);
      return first;
    }
    return undefined;
  }

  event(event: EngineEvent): void {
    this.eventCounts.add(event);
    this.outputs.push({ kind: 'event', at: this.at, event });
  }

  answer(id: number, result: CommandResult): void {
    this.outputs.push({ kind: 'command-result', id, result });
  }

  /** Sends an IKE message, behind a non-ESP marker where ESP shares the port (RFC 3948 2.2). */
  transmit(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    const shared = local.port === this.configuration.ports.natTraversal;
    this.outputs.push({ kind: 'transmit', local, remote, octets: shared ? withMarker(octets) : octets });
  }

  /** A number for a result that an IKE SA waits for; `undefined` ids are awaited by nobody. */
  awaitResult(ikeId: number, id: number): number {
    const global = this.#nextAwaitedId++;
    this.#awaited.set(global, { ikeId, id });
    return global;
  }

  /** The same for what HIP waits for. */
  awaitHipResult(id: number): number {
    const global = this.#nextAwaitedId++;
    this.#awaitedByHip.set(global, id);
    return global;
  }

  takeAwaitedByHip(global: number): number | undefined {
    const id = this.#awaitedByHip.get(global);
    this.#awaitedByHip.delete(global);
    return id;
  }

  /** @param like the inbound SPI that it replaces */
  allocateSpi(like?: Spi): Spi {
    return this.spis.allocate((spi) => this.owners.isClaimedByOther(spi), like);
  }

  /** Of a pair of SAs. Only one that stands is to be found by its number: most offers that are refused never come to that. */
  allocateChildId(): number {
    return this.#nextChildId++;
  }

  get awaitedResults(): number {
    return this.#awaited.size + this.#awaitedByHip.size;
  }

  takeAwaited(global: number): { readonly entry: IkeEntry; readonly id: number } | undefined {
    const awaited = this.#awaited.get(global);
    this.#awaited.delete(global);
    const entry = awaited === undefined ? undefined : this.registry.byId(awaited.ikeId);
    return awaited === undefined || entry === undefined ? undefined : { entry, id: awaited.id };
  }

  /**
   * Runs once the data plane has carried out all that it was told for an IKE SA, and not at all if it refuses: the IKE SA says
   * then which child failed. Commands are carried out in order.
   */
  onceCarriedOut({ lastCommandId }: IkeEntry, then: () => void): void {
    if (lastCommandId === undefined || !this.#awaited.has(lastCommandId)) then();
    else this.#onceCarriedOut.set(lastCommandId, then);
  }

  carriedOut(id: number, { ok }: SaResult): void {
    const then = this.#onceCarriedOut.get(id);
    this.#onceCarriedOut.delete(id);
    if (ok) then?.();
  }

  /**
   * Asks for a record to be kept.
   * @param then runs once it is durable, within the input that says so
   * @param less what it need not survive for that, as `EngineOutput` says
   */
  store(key: string, octets: Uint8Array, then?: () => void, less?: 'untilReboot' | 'flushBehind'): void {
    const id = this.#nextAwaitedId++;
    const unawaited = then === undefined;
    if (!unawaited) this.#awaitedStores.set(id, then);
    const store: { -readonly [Name in keyof StoreOutput]: StoreOutput[Name] } = {
      kind: 'store',
      id,
      key,
      octets,
    };
    if (less !== undefined) store[less] = true;
    if (unawaited) store.unawaited = true;
    this.outputs.push(store);
  }

  /** A number that a Child SA had before a restart. */
  adoptChildId(childId: number, ikeId: number): void {
    this.#nextChildId = Math.max(this.#nextChildId, childId + 1);
    this.registry.assignChild(childId, ikeId);
  }

  /** A record of `recovery/`, sealed if this host seals its records. */
  keepRecord(key: string, octets: Uint8Array, then?: () => void): void {
    this.store(key, sealRecoveryRecord(this.randomness, this.#recordKey, key, octets), then);
  }

  /** What former engines kept with `keepRecord`. */
  openRecords(stored: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
    return openRecoveryRecords(this.#recordKey, stored);
  }

  stored(id: number): void {
    const then = this.#awaitedStores.get(id);
    this.#awaitedStores.delete(id);
    then?.();
  }

  /** An SA command of the engine itself, whose failure is only reported. */
  command(command: SaCommand | undefined): void {
    if (command !== undefined) this.outputs.push({ kind: 'sa-command', id: this.#nextAwaitedId++, command });
  }

  /** Traffic of this child asks for it from now on, unless it does already. */
  setTrap(connection: ConnectionConfiguration, child: ChildConfiguration, onRequest = false): void {
    const trap = this.traps.add(connection, child, onRequest);
    if (trap === undefined) return;
    this.command({ kind: 'install-policy', policy: trapPolicy(trap) });
    this.event({ kind: 'trap-set', connection: connection.name, child, selectors: trap.selectors });
  }

  removeTrap(trap: Trap): void {
    const { policyId, connection, child, selectors } = trap;
    this.traps.remove(trap);
    this.command({ kind: 'remove-policy', policyId });
    this.event({ kind: 'trap-removed', connection: connection.name, child, selectors });
  }

  /** What the owner registry gave us; SPIs are drawn inside the blocks from now on, or anywhere if there are none. */
  leaseSpis(claims: SpiClaims): void {
    this.#claims = claims;
    this.spis.lease = claims.blocks.length === 0 ? undefined : claims.blocks;
    this.owners = new OwnerView(this.#ownership, claims);
  }

  knowOwners(ownership: SpiOwnership): void {
    this.#ownership = ownership;
    this.owners = new OwnerView(ownership, this.#claims);
  }

  get unknownSpi(): UnknownSpiConfiguration {
    return { ...defaultUnknownSpiConfiguration, ...this.configuration.unknownSpi };
  }

  /** Those of ours that a connection may use by its `local_addrs`, as it is configured now: IKE SAs outlive a reload. */
  addressesFor(
    connection: ConnectionConfiguration,
    all: readonly IpAddress[] = this.ownAddresses,
  ): readonly IpAddress[] {
    const { localAddresses } = this.connections.named(connection.name) ?? connection;
    return all.filter((one) => addressFit(localAddresses, one) > 0);
  }

  /** The time of day, as far as we were told. */
  get wallClockMs(): number {
    return this.at + this.wallClockOffsetMs;
  }

  /** Our QCD token for an IKE SA, if this connection's peers get one and its secret is durable (RFC 6290 4.2, 5.1). */
  tokenNotifies(
    connection: ConnectionConfiguration | undefined,
    spis: { readonly initiatorSpi: IkeSpi; readonly responderSpi: IkeSpi },
  ): readonly NotifyPayload[] {
    const { recovery } = this;
    if (!recovery.secretsDurable || !givesTokens(this.unknownSpi, connection)) return [];
    recovery.given.add(`${spis.initiatorSpi} ${spis.responderSpi}`);
    return [tokenNotify(recovery.secrets.current(spis))];
  }

  /** Traffic of this Child SA finds another one first from now on; what arrives on it is still let in. */
  demotePolicies(childId: number): void {
    for (const policy of this.leadingPolicies.yield(childId)) {
      this.command({ kind: 'install-policy', policy });
    }
  }

  /** A step on the recovery ladder, for logs and for whoever asks why. @param spis that it is about */
  rung(
    connection: string,
    rung: RecoveryRung,
    step: RecoveryStep,
    detail: string,
    spis: readonly number[] = [],
  ): void {
    const firstSignAt = this.recovery.courses.get(connection)?.since;
    this.event({
      kind: 'recovery',
      connection,
      rung,
      step,
      detail,
      ...(firstSignAt === undefined ? {} : { firstSignAt }),
    });
    const reason = `${rung} ${step}`;
    this.recovery.incidents.add({ atMs: this.wallClockMs, spis, connection, what: 'rung', reason, detail });
  }

  nextResolveId(): number {
    return this.#nextAwaitedId++;
  }

  contextOf(entry: IkeEntry): IkeContext {
    const { sa, identities } = entry;
    const context: { -readonly [Name in keyof IkeContext]: IkeContext[Name] } = {
      ikeId: entry.ikeId,
      initiatorSpi: sa.initiatorSpi,
      responderSpi: sa.responderSpi,
      connection: sa.connection,
      local: sa.local,
      remote: sa.remote,
      initiator: entry.initiator,
      virtualAddresses: entry.virtualAddresses,
      nameServers: entry.nameServers,
      peerVirtualAddresses: entry.peerVirtualAddresses,
      natDetected: entry.natDetected,
    };
    if (identities !== undefined) {
      context.localIdentity = identities.localText;
      context.remoteIdentity = identities.remoteText;
      if (identities.remoteUserText !== undefined) context.remoteEapIdentity = identities.remoteUserText;
    }
    return context;
  }
}
