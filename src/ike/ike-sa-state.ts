// Everything one IKE SA remembers, shared by its exchanges. Only this room sees it; hosts see `IkeSa`.
import type { IkeKeys, PacketCipher, PseudorandomFunction } from '#crypto';
import type { Endpoint, IkeSuite, IpAddress, SaCommand, SaDirection, Spi } from '#sa';
import type { ChildSa } from './child-sas/child-sa.ts';
import type { RoundTrip } from './clocks/round-trip.ts';
import type { ChildConfiguration, ConnectionConfiguration, Identity } from './configuration.ts';
import type { PostponedRefusal } from './exchanges/create-child-sa/postponed-refusals.ts';
import type { OutstandingRequest } from './exchanges/exchange.ts';
import type { AddressLease, IkeEvent, IkeFailure, IkeSaOutput, IkeSaPorts } from './interface.ts';
import { RequestWindow, ResponseWindow } from './messages/message-window.ts';
import type { Mobility, TunnelEnds } from './mobility.ts';
import { isEncapsulated, type NatVerdict } from './payloads/nat-detection.ts';
import type { IkeSpis, Phase } from './phase.ts';
import type { Reassembly } from './protection/reassembly.ts';
import type { MessageSealer } from './protection/sealed-message.ts';
import type { TicketContent } from './resumption/ticket-content.ts';
import { type AcquiredTraffic, TaskQueue } from './task.ts';

export type IkeRole = 'initiator' | 'responder';

/** The ports that IKE moves to when there is a NAT (RFC 7296 2.23). */
export interface NatTraversalPorts {
  readonly localPort: number;
  readonly remotePort: number;
}

/** The keys of an IKE SA, at work. */
export interface Protection {
  readonly suite: IkeSuite;
  readonly prf: PseudorandomFunction;
  readonly sealer: MessageSealer;
  readonly opener: PacketCipher;
  /** Everything below is wiped when the IKE SA ends. */
  readonly skD: Uint8Array;
  readonly skPi: Uint8Array;
  readonly skPr: Uint8Array;
  /** Only where the host keeps checkpoints: the keys that the ciphers have copies of. */
  readonly keys: Pick<IkeKeys, 'skAi' | 'skAr' | 'skEi' | 'skEr'> | undefined;
}

/** What the peer said it can do. */
export interface PeerFeatures {
  fragmentation: boolean;
  /** RFC 6023: an IKE SA may be made without a Child SA. */
  childless: boolean;
  /** RFC 7427 4: absent if the peer sent no SIGNATURE_HASH_ALGORITHMS. */
  signatureHashes: readonly number[] | undefined;
  /** RFC 5723: it answered a request for a ticket, whatever it said. */
  tickets: boolean;
  /** RFC 6311: agreed upon by both ends. */
  messageIdSync: boolean;
}

/** Our request to synchronise Message IDs; nothing else is sent until it is answered. */
export interface Synchronization {
  readonly nonce: Uint8Array;
  readonly nextSent: number;
  readonly nextReceived: number;
  readonly attempt: number;
  readonly nextAt: number;
}

export interface IkeSaStatistics {
  messagesSent: number;
  messagesReceived: number;
  retransmissions: number;
  messagesRejected: number;
}

/** Which IKE SA this one resumes, and what RFC 5723 5 takes from it beside the keys. */
export interface Resumption {
  readonly former: IkeSpis;
  readonly localIdentity: Identity;
  readonly remoteIdentity: Identity;
  /** Wall clock: when the client must authenticate itself anew. */
  readonly reauthAtMs: number | undefined;
  /** Gateway only; without its secret. */
  readonly content: TicketContent | undefined;
}

/** A rekeying of this IKE SA that the peer began while ours was under way (RFC 7296 2.8.2). */
export interface IkeCollision {
  readonly successor: IkeSaState;
  readonly lowestNonce: Uint8Array;
}

export interface IkeSaStateOptions {
  readonly ports: IkeSaPorts;
  readonly role: IkeRole;
  readonly connection: ConnectionConfiguration;
  readonly spis: IkeSpis;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly natTraversal: NatTraversalPorts;
  readonly keyLog: boolean;
  readonly at: number;
  readonly phase: Phase;
  /** 0 for the requests of an IKE SA made by rekeying and for IKE_SA_INIT, 1 behind IKE_SA_INIT. */
  readonly firstRequestId: number;
  readonly firstExpectedId: number;
}

export class IkeSaState {
  readonly ports: IkeSaPorts;
  /** Who made this IKE SA: the sender of the first request, or of the rekeying request (RFC 7296 2.2). */
  readonly role: IkeRole;
  readonly natTraversal: NatTraversalPorts;
  readonly keyLog: boolean;
  readonly createdAt: number;
  /** Where its first request came from or went to, which both ends have seen to be true: a later message may be forged. */
  readonly begunWith: Endpoint;
  connection: ConnectionConfiguration;
  spis: IkeSpis;
  local: Endpoint;
  remote: Endpoint;
  phase: Phase;
  /** The time of the input being handled. */
  at: number;

  readonly requests: RequestWindow<OutstandingRequest>;
  responses: ResponseWindow;
  readonly tasks: TaskQueue = new TaskQueue();
  readonly reassemblies: Map<string, Reassembly> = new Map();
  children: ChildSa[] = [];
  protection: Protection | undefined;
  readonly peer: PeerFeatures = {
    fragmentation: false,
    childless: false,
    signatureHashes: undefined,
    tickets: false,
    messageIdSync: false,
  };
  nat: NatVerdict = { supported: false, local: false, remote: false };

  localIdentity: Identity | undefined;
  remoteIdentity: Identity | undefined;
  /** The user that EAP has authenticated (RFC 7296 2.16). */
  remoteEapIdentity: Identity | undefined;
  initialContact = false;
  /** Children that the host wants as soon as the IKE SA is there. */
  wantedChildren: readonly ChildConfiguration[] = [];
  /** The packet that made the host ask for the first of them. */
  acquired: AcquiredTraffic | undefined;
  virtualAddresses: readonly IpAddress[] = [];
  peerVirtualAddresses: readonly IpAddress[] = [];
  lease: AddressLease | undefined;

  establishedAt: number | undefined;
  /** The lower one of its first exchange: both ends order IKE SAs by it that were made at the same time. */
  lowestNonce: Uint8Array | undefined;
  rekeyAt: number | undefined;
  reauthAt: number | undefined;
  expiresAt: number | undefined;
  lastInboundAt: number;
  lastTrafficAt: number;
  /** See `round-trip.ts`. */
  roundTrip: RoundTrip | undefined;
  /** Responder: how often the answer to the first request went out again. */
  firstAnswersAgain = 0;
  /** Whether we made the first IKE SA of this line, however it was rekeyed since: the one who may ask for tickets. */
  client: boolean;
  /** Gateway: how the client proved its identity when this line began (the method of its AUTH payload). */
  clientMethod: number | undefined;
  /** Gateway: a mark of what that rested on (`TicketPort.mark`). */
  clientCredential: Uint8Array | undefined;
  resumption: Resumption | undefined;
  /** Virtual addresses of the resumed IKE SA, to be asked for again (RFC 5723 5, note 5). */
  formerAddresses: readonly IpAddress[] | undefined;
  /** Gateway: the client holds a ticket for this IKE SA. */
  ticketGiven = false;
  synchronization: Synchronization | undefined;
  /** Both ends agreed on MOBIKE (RFC 4555). An IKE SA and what replaces it share it. */
  mobility: Mobility | undefined;
  /** The highest Message ID of a request that said where the peer is (RFC 4555 3.5, 3.6). */
  newestMoveId = -1;
  /** The highest Message ID that a synchronisation of the peer named. */
  highestSyncedId = -1;
  collision: IkeCollision | undefined;
  successor: IkeSaState | undefined;
  /** The IKE SA whose rekeying made this one. */
  parent: IkeSaState | undefined;
  readonly offspring: IkeSaState[] = [];

  readonly statistics: IkeSaStatistics = {
    messagesSent: 0,
    messagesReceived: 0,
    retransmissions: 0,
    messagesRejected: 0,
  };
  readonly outputs: IkeSaOutput[] = [];
  /** Pairs that the host wants to be deleted while an exchange of ours is making them. */
  readonly unwantedChildren: Set<number> = new Set();
  /** SPIs that the peer deleted before its answer that made them came in: requests overtake answers. */
  readonly deletedAhead: Set<Spi> = new Set();
  /** Requests of the peer that are answered once our own Delete has been. */
  postponedRefusals: readonly PostponedRefusal[] = [];
  /** Commands that the data plane has not answered yet, of those that a pair needs, and which of its SAs they are about. */
  readonly installations: Map<number, { readonly child: ChildSa; readonly direction?: SaDirection }> =
    new Map();
  #nextOutputId = 1;

  constructor(options: IkeSaStateOptions) {
    this.ports = options.ports;
    this.role = options.role;
    this.connection = options.connection;
    this.spis = options.spis;
    this.local = options.local;
    this.remote = options.remote;
    this.natTraversal = options.natTraversal;
    this.keyLog = options.keyLog;
    this.createdAt = options.at;
    this.begunWith = options.remote;
    this.at = options.at;
    this.phase = options.phase;
    this.lastInboundAt = options.at;
    this.lastTrafficAt = options.at;
    this.client = options.role === 'initiator';
    this.requests = new RequestWindow(options.firstRequestId);
    this.responses = new ResponseWindow(options.firstExpectedId, options.connection.windowSize);
  }

  get ended(): boolean {
    return this.phase.name === 'ended';
  }

  get encapsulated(): boolean {
    return isEncapsulated(this.nat);
  }

  /** Where its Child SAs lead. */
  get tunnelEnds(): TunnelEnds {
    return this.mobility?.proven ?? { local: this.local, remote: this.remote, nat: this.nat };
  }

  /** Whether our request to replace this IKE SA is under way. */
  get rekeying(): boolean {
    return this.requests.all().some((request) => request.exchange.kind === 'rekey-ike');
  }

  /** The keys; asking for them before there are any is our own mistake. */
  secure(): Protection {
    if (this.protection === undefined) throw new Error('the IKE SA has no keys');
    return this.protection;
  }

  emit(event: IkeEvent): void {
    this.outputs.push({ kind: 'event', event });
  }

  nextOutputId(): number {
    return this.#nextOutputId++;
  }

  command(command: SaCommand): number {
    const id = this.nextOutputId();
    this.outputs.push({ kind: 'sa-command', id, command });
    return id;
  }

  reject(reason: string, exchangeType: number, messageId: number): void {
    this.statistics.messagesRejected++;
    this.emit({ kind: 'message-rejected', reason, exchangeType, messageId });
  }
}

/** The IKE SA that holds the Child SAs now: they may have moved while a message was on its way. */
export function holderOf(state: IkeSaState): IkeSaState {
  return state.successor === undefined ? state : holderOf(state.successor);
}

export function failure(code: IkeFailure['code'], detail: string, notifyType?: number): IkeFailure {
  return notifyType === undefined ? { code, detail } : { code, detail, notifyType };
}
