// A snapshot of a host for people and control protocols. Holds names, numbers and states: never a key octet.
import type { HipAssociationStatus } from '#hip';
import type { ChildSaStatus, IkePhase, MobilityStatus, NatVerdict } from '#ike';
import type { Endpoint, IkeSuite, IpAddress } from '#sa';
import type { BudgetRefusal, UnknownSpiPolicyName } from '#unknown-spi';
import type { IkeSpi } from '#wire';
import type { EngineState } from './engine-state.ts';
import type { IkeEntry, IkeMove } from './ike-sas/ike-sa-registry.ts';
import { policyFor } from './recovery/recovery-state.ts';
import type { PoolStatus } from './virtual-addresses/address-pools.ts';

export interface IkeSaStatus {
  readonly ikeId: number;
  readonly connection: string;
  readonly phase: IkePhase;
  readonly initiator: boolean;
  readonly initiatorSpi: IkeSpi;
  readonly responderSpi: IkeSpi;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly localIdentity?: string;
  readonly remoteIdentity?: string;
  /** The user that EAP has authenticated (RFC 7296 2.16). */
  readonly remoteEapIdentity?: string;
  readonly suite?: IkeSuite;
  readonly establishedMsAgo?: number;
  /** Negative when it is overdue. */
  readonly rekeyInMs?: number;
  readonly reauthenticateInMs?: number;
  readonly nat: NatVerdict;
  readonly behindNat: boolean;
  readonly virtualAddresses: readonly IpAddress[];
  /** What we gave to the peer out of our pools. */
  readonly peerVirtualAddresses: readonly IpAddress[];
  readonly children: readonly ChildSaStatus[];
  /** What our outstanding requests do, and what waits for them: exchange types by number, tasks by name. */
  readonly activeExchangeTypes: readonly number[];
  readonly queuedTasks: readonly string[];
  readonly peer: PeerStatus;
  /** Absent: the two ends did not agree that they may move (RFC 4555). */
  readonly mobility?: MobilityStatus;
  /** Absent: it is where it was made. */
  readonly lastMove?: Omit<IkeMove, 'at'> & { readonly msAgo: number };
}

/** What the peer of an IKE SA can do, as far as it has shown it: it decides which rungs of recovery there are. */
export interface PeerStatus {
  /** It gave us a token: a crash of its own is proven in one round trip (RFC 6290). */
  readonly tokenHeld: boolean;
  /** It has a token of ours. */
  readonly tokenGiven: boolean;
  /** We hold a ticket of its making (RFC 5723). */
  readonly ticketHeld: boolean;
  /** It holds a ticket of ours. */
  readonly ticketGiven: boolean;
  /** RFC 6311. */
  readonly messageIdSync: boolean;
  /** RFC 7383. */
  readonly fragmentation: boolean;
  /** Milliseconds of a round trip, if one was measured. */
  readonly rttMs?: number;
}

/** Something of which there is only so much, for strangers above all. */
export interface BudgetStatus {
  readonly name: 'replies-strangers' | 'replies-known' | 'half-open' | 'spi-history';
  readonly used: number;
  readonly limit: number;
}

/** Unauthenticated messages in and replies to them, in IP octets: never more go out than came in. */
export interface ReplyStatus {
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly refused: Readonly<Record<BudgetRefusal, number>>;
  /** SPIs that their peer could not be told of at once. */
  readonly foldedSpis: number;
}

/** How much the engine holds in each of its tables: all of them are bounded, and empty when nothing is left to do. */
export interface TableSizes {
  readonly ikeSas: number;
  readonly halfOpen: number;
  /** Numbers of Child SAs that lead to an IKE SA. */
  readonly childSas: number;
  /** SPIs of Child SAs that are there or on their way. */
  readonly reservedSpis: number;
  /** SA commands and jobs whose results are due. */
  readonly awaitedResults: number;
  readonly pendingCommands: number;
  readonly initiations: number;
  /** Of connections, and of HIP peers. */
  readonly traps: number;
  /** What stands and was asked, told or replaced lately because of what others said of it. */
  readonly backOffs: number;
  readonly deadlines: number;
}

export interface EngineStatus {
  /** Monotonic milliseconds of the last input, which the times of Child SAs are compared with. */
  readonly at: number;
  /** How often this host has started, as far as its store knows. */
  readonly bootEpoch: number;
  readonly ikeSas: readonly IkeSaStatus[];
  readonly halfOpen: number;
  readonly hip: readonly HipAssociationStatus[];
  readonly pools: readonly PoolStatus[];
  /** Connections on their way up. */
  readonly connecting: readonly {
    readonly connection: string;
    readonly phase: string;
    readonly failures: number;
  }[];
  /** What strangers can cause, by kind, reason and outcome. */
  readonly counts: Readonly<Record<string, number>>;
  readonly budgets: readonly BudgetStatus[];
  readonly replies: ReplyStatus;
  /** What is done about SPIs that nobody knows. */
  readonly policy: UnknownSpiPolicyName;
  readonly traps: readonly { readonly connection: string; readonly child: string }[];
  readonly connections: readonly { readonly name: string; readonly children: readonly string[] }[];
}

export function engineStatus(state: EngineState, at: number = state.at): EngineStatus {
  return {
    at,
    bootEpoch: state.recovery.boot.epoch,
    ikeSas: state.registry.all().map((entry) => ikeSaStatus(state, entry, at)),
    halfOpen: state.halfOpen.total,
    hip: state.hip?.status() ?? [],
    counts: state.eventCounts.all(),
    budgets: budgets(state),
    replies: { ...state.recovery.budget.statistics, foldedSpis: state.recovery.foldedSpis },
    policy: state.unknownSpi.policy,
    pools: state.pools.status(),
    connecting: state.initiations.all().map(({ connection, phase, failures }) => ({
      connection: connection.name,
      phase: phase.name,
      failures,
    })),
    traps: state.traps
      .all()
      .map(({ connection, child }) => ({ connection: connection.name, child: child.name })),
    connections: state.configuration.connections.map(({ name, children }) => ({
      name,
      children: children.map((child) => child.name),
    })),
  };
}

function budgets(state: EngineState): BudgetStatus[] {
  const { recovery, unknownSpi, at } = state;
  const policy = policyFor(unknownSpi, undefined);
  const { strangers, known } = recovery.budget.levels(at, policy, recovery.rebootAware(at, unknownSpi));
  return [
    { name: 'replies-strangers', used: strangers.limit - strangers.left, limit: strangers.limit },
    { name: 'replies-known', used: known.limit - known.left, limit: known.limit },
    { name: 'half-open', used: state.halfOpen.total, limit: state.configuration.halfOpen.halfOpenMax },
    { name: 'spi-history', used: recovery.history.count, limit: recovery.history.size },
  ];
}

function peerStatus(state: EngineState, { ikeId, sa }: IkeEntry): PeerStatus {
  const { recovery, clientTickets } = state;
  const { initiatorSpi, responderSpi } = sa;
  const rttMs = sa.roundTripMs ?? 0;
  return {
    tokenHeld: (recovery.held.get(ikeId)?.size ?? 0) > 0,
    tokenGiven: recovery.given.has(`${initiatorSpi} ${responderSpi}`),
    ticketHeld: clientTickets.holds(sa.connection.name, {
      initiator: initiatorSpi,
      responder: responderSpi,
    }),
    ticketGiven: sa.ticketGiven,
    messageIdSync: sa.peer.messageIdSync,
    fragmentation: sa.peer.fragmentation,
    ...(rttMs === 0 ? {} : { rttMs }),
  };
}

export function tableSizes(state: EngineState): TableSizes {
  return {
    ikeSas: state.registry.size,
    halfOpen: state.halfOpen.total,
    childSas: state.registry.childCount,
    reservedSpis: state.spis.taken,
    awaitedResults: state.awaitedResults,
    pendingCommands: state.pending.size,
    initiations: state.initiations.size,
    traps: state.traps.all().length + (state.hip?.traps.size ?? 0),
    backOffs: state.recovery.backOffs,
    deadlines: state.deadlines.size,
  };
}

export function ikeSaStatus(state: EngineState, entry: IkeEntry, at: number = state.at): IkeSaStatus {
  const { sa, identities, establishedAt, lastMove } = entry;
  return {
    ikeId: entry.ikeId,
    connection: sa.connection.name,
    phase: sa.phase,
    initiator: entry.initiator,
    initiatorSpi: sa.initiatorSpi,
    responderSpi: sa.responderSpi,
    local: sa.local,
    remote: sa.remote,
    ...(identities === undefined
      ? {}
      : {
          localIdentity: identities.localText,
          remoteIdentity: identities.remoteText,
          ...(identities.remoteUserText !== undefined && {
            remoteEapIdentity: identities.remoteUserText,
          }),
        }),
    ...(sa.suite === undefined ? {} : { suite: sa.suite }),
    ...(establishedAt === undefined ? {} : { establishedMsAgo: at - establishedAt }),
    ...(sa.rekeyAt === undefined ? {} : { rekeyInMs: sa.rekeyAt - at }),
    ...(sa.reauthenticateAt === undefined ? {} : { reauthenticateInMs: sa.reauthenticateAt - at }),
    nat: sa.nat,
    behindNat: entry.behindNat,
    virtualAddresses: entry.virtualAddresses,
    peerVirtualAddresses: entry.peerVirtualAddresses,
    children: sa.children,
    activeExchangeTypes: sa.outstanding.map(({ exchangeType }) => exchangeType),
    queuedTasks: sa.queued,
    peer: peerStatus(state, entry),
    ...(sa.mobility === undefined ? {} : { mobility: sa.mobility }),
    ...(lastMove === undefined
      ? {}
      : { lastMove: { by: lastMove.by, from: lastMove.from, msAgo: at - lastMove.at } }),
  };
}
