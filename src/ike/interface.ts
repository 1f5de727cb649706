// What goes into one IKE SA and what comes out. Drain `poll()` before the next `handle()`.
import type { Randomness, ValidatePathJob, ValidatePathResult } from '#crypto';
import type {
  ChildSuite,
  DataPlaneEvent,
  Endpoint,
  IkeSuite,
  IpAddress,
  PolicyParameters,
  SaCommand,
  SaMode,
  SaResult,
  Spi,
  TrafficSelector,
} from '#sa';
import type { IkeSpi, NotifyPayload } from '#wire';
import type { GuessPort } from './authentication/guesses.ts';
import type { ChildConfiguration, ConnectionConfiguration, Credentials, Identity } from './configuration.ts';
import type { IkeSpis } from './phase.ts';
import type { ClientTicket } from './resumption/client-ticket.ts';
import type { TicketPort } from './resumption/ticket-port.ts';

/** Virtual addresses and what goes with them (RFC 7296 3.15). */
export interface AddressLease {
  readonly addresses: readonly IpAddress[];
  readonly dns: readonly IpAddress[];
  /** Further attributes of the pool (NBNS, subnets), as type and value. */
  readonly attributes: readonly { readonly type: number; readonly value: Uint8Array }[];
}

/** What an IKE SA may ask of its host, synchronously. All of it is deterministic. */
export interface IkeSaPorts {
  readonly randomness: Randomness;
  /**
   * An SPI no SA of this host uses, reserved until released.
   * @param like the inbound SPI that it replaces: the host may want both in the same place of its data plane
   */
  allocateSpi(like?: Spi): Spi;
  releaseSpi(spi: Spi): void;
  allocateIkeSpi(): IkeSpi;
  /** A number for a new Child SA pair; stable over its rekeyings. */
  allocateChildId(): number;
  credentials(): Credentials;
  /** Wall-clock milliseconds, for certificate validity only. */
  wallClockMs(): number;
  /**
   * Responder: the connections that an initiator at these addresses may mean, best first. Before the identity is known
   * `identities` is absent; afterwards only connections that fit it are returned.
   */
  connectionsFor(peer: {
    readonly local: Endpoint;
    readonly remote: Endpoint;
    readonly identities?: { readonly initiator: Identity; readonly responder?: Identity };
  }): readonly ConnectionConfiguration[];
  leaseAddresses(request: {
    readonly pools: readonly string[];
    readonly identity: Identity;
    /** Whom EAP has authenticated: he is who it is for, and nobody who is called so otherwise. */
    readonly user?: Identity;
    readonly requested: readonly IpAddress[];
  }): AddressLease | undefined;
  releaseAddresses(lease: AddressLease): void;
  /**
   * Notifies of the host's own to go into our IKE_AUTH message (for example QUICK_CRASH_DETECTION, RFC 6290 4.1), and into
   * our half of a rekeying of the IKE SA; the SPIs are those of the IKE SA that they are about.
   */
  notifiesFor?(spis: {
    readonly initiatorSpi: IkeSpi;
    readonly responderSpi: IkeSpi;
  }): readonly NotifyPayload[];
  /**
   * The host takes snapshots (`IkeSa.snapshot`) and keeps them: keys are retained for them until the IKE SA ends, and sequence
   * numbers are used only as far as they are reserved. `extend-reservation` must wait until a snapshot taken with it is durable.
   */
  readonly checkpoints?: boolean;
  /** Addresses of this host that the connection may use and the peer may be told of. Absent: not known. */
  ownAddresses?(connection: ConnectionConfiguration): readonly IpAddress[];
  /** Gateway: makes and judges tickets (RFC 5723). Absent: none is given, and none is good. */
  readonly tickets?: TicketPort;
  /** Gateway: how often who may try a secret. Absent: as often as he likes. */
  readonly guesses?: GuessPort;
}

/** What the host tells one IKE SA. `at` is monotonic milliseconds and never goes back. */
export type IkeSaInput =
  /** A datagram whose IKE SPIs are this SA's; without non-ESP marker. */
  | {
      readonly kind: 'message';
      readonly at: number;
      readonly local: Endpoint;
      readonly remote: Endpoint;
      readonly octets: Uint8Array;
    }
  | { readonly kind: 'timeout'; readonly at: number }
  | { readonly kind: 'command'; readonly at: number; readonly command: IkeSaCommand }
  | { readonly kind: 'data-plane'; readonly at: number; readonly event: DataPlaneEvent }
  | { readonly kind: 'sa-result'; readonly at: number; readonly id: number; readonly result: SaResult }
  | {
      readonly kind: 'computed';
      readonly at: number;
      readonly id: number;
      readonly result: ValidatePathResult;
    };

export type IkeSaCommand =
  /** `acquired`: the packet that hit a trap policy, put first into the selectors (RFC 7296 2.9). */
  | {
      readonly kind: 'initiate-child';
      readonly child: ChildConfiguration;
      readonly acquired?: { readonly local: TrafficSelector; readonly remote: TrafficSelector };
    }
  | { readonly kind: 'rekey-child'; readonly childId: number }
  | { readonly kind: 'delete-child'; readonly childId: number }
  | { readonly kind: 'rekey-ike' }
  /** After `adoptIkeSa`, once its snapshot is durable: all Child SAs at once, and then the IKE SA. */
  | { readonly kind: 'rekey-everything' }
  /** Delete with an INFORMATIONAL exchange; ends when answered or when its retransmissions do. */
  | { readonly kind: 'delete'; readonly reason: string }
  /** Forget everything at once without a message; if a Delete is on its way, as if it had been answered. */
  | { readonly kind: 'abandon'; readonly reason: string }
  /** A notify in an INFORMATIONAL request, for example INVALID_SPI (RFC 7296 1.5, 2.21.4). */
  | { readonly kind: 'send-notify'; readonly notify: NotifyPayload }
  /**
   * This end was taken over with state that may be old: ask the peer where both directions go on (RFC 6311). Without effect
   * unless `IkeSa.synchronizable`. `skip`: how many requests of ours may have been sent that the state does not know of.
   */
  | { readonly kind: 'synchronize-message-ids'; readonly skip: number }
  /** An empty INFORMATIONAL request now, unless one is outstanding. */
  | { readonly kind: 'check-liveness'; readonly reason: string }
  /**
   * The address that we use is no more, or there is a better one. Without `remote` the peer is where it was. Of use only with
   * MOBIKE (`IkeSa.mobility`), for the gateway only without `remote`.
   */
  | { readonly kind: 'move'; readonly local: IpAddress; readonly remote?: IpAddress }
  /** As gateway: `IkeSaPorts.ownAddresses` has others than before. */
  | { readonly kind: 'announce-addresses' };

export type IkeSaOutput =
  | {
      readonly kind: 'transmit';
      readonly local: Endpoint;
      readonly remote: Endpoint;
      /** Without non-ESP marker; the engine adds it on the NAT traversal port. */
      readonly octets: Uint8Array;
    }
  | { readonly kind: 'sa-command'; readonly id: number; readonly command: SaCommand }
  | { readonly kind: 'compute'; readonly id: number; readonly job: ValidatePathJob }
  | { readonly kind: 'event'; readonly event: IkeEvent }
  /**
   * Client: a ticket for this IKE SA, in place of any earlier one. It holds a secret and is the host's to keep, to give to
   * `resumeIkeSa` once, and to wipe.
   */
  | { readonly kind: 'ticket'; readonly ticket: ClientTicket }
  /** Only if the host asked for keys when it made the SA (tshark's decryption tables). */
  | { readonly kind: 'key-log'; readonly entry: KeyLogEntry };

export type IkePhase =
  | 'connecting'
  | 'established'
  | 'rekeying'
  /** Replaced by a successor that carries its Child SAs; still answers (RFC 7296 2.8). */
  | 'rekeyed'
  | 'deleting'
  | 'ended';

/** Why an exchange, a Child SA or an IKE SA did not come to be, or ended. `code` is stable, `detail` is for people. */
export interface IkeFailure {
  readonly code:
    | 'no-proposal-chosen'
    | 'invalid-ke-payload'
    | 'authentication-failed'
    | 'peer-authentication-failed'
    /** A secret was not judged, since too many wrong ones came before. */
    | 'too-many-tries'
    | 'identity-mismatch'
    | 'ts-unacceptable'
    | 'no-answer'
    | 'invalid-syntax'
    | 'unsupported-critical-payload'
    | 'internal-address-failure'
    | 'no-additional-sas'
    | 'temporary-failure'
    | 'child-sa-not-found'
    | 'data-plane'
    | 'no-credentials'
    | 'peer-notify'
    | 'ticket-refused'
    | 'expired'
    | 'deleted-by-peer'
    | 'deleted-by-us'
    | 'replaced'
    | 'abandoned';
  readonly detail: string;
  /** The notify that the peer sent, if one did it. */
  readonly notifyType?: number;
}

export interface ChildSaSummary {
  readonly childId: number;
  readonly generation: number;
  readonly name: string;
  readonly inboundSpi: Spi;
  readonly outboundSpi: Spi;
  readonly local: readonly TrafficSelector[];
  readonly remote: readonly TrafficSelector[];
  readonly mode: SaMode;
  readonly suite: ChildSuite;
  /** By direction, with the numbers that are the Child SA's own. */
  readonly kernelTies?: PolicyParameters['kernelTies'];
}

/** What happened, for logs, `status` and the engine's own decisions. No event ever carries key octets. */
export type IkeEvent =
  | {
      readonly kind: 'ike-established';
      readonly suite: IkeSuite;
      readonly localIdentity: Identity;
      readonly remoteIdentity: Identity;
      /** The user that EAP has authenticated: who the peer is, whatever it calls itself (RFC 7296 2.16). */
      readonly remoteEapIdentity?: Identity;
      readonly connection: string;
      readonly initialContact: boolean;
      readonly resumed: boolean;
    }
  /**
   * This IKE SA resumed that one, which the host forgets without a message if it still has it (RFC 5723 4.3.4). Comes right
   * before `ike-established`.
   */
  | { readonly kind: 'ike-resumed'; readonly former: IkeSpis }
  /** A ticket for this IKE SA was asked for (RFC 5723 4.1): what became of it, at the end that is told. */
  | {
      readonly kind: 'ticket-request';
      readonly outcome: 'given' | 'received' | 'postponed' | 'refused';
      /** With a ticket. */
      readonly lifetimeMs?: number;
    }
  /** An unauthenticated refusal of IKE_SA_INIT: a likely reason, but trying goes on (RFC 7296 2.21.1). */
  | { readonly kind: 'peer-refused'; readonly failure: IkeFailure }
  | { readonly kind: 'ike-failed'; readonly failure: IkeFailure }
  | { readonly kind: 'ike-ended'; readonly failure: IkeFailure }
  /**
   * A rekeying made a new IKE SA: it is in `IkeSa.offspring`, and the host must route its SPIs, drain it and wake it from
   * now on. In a collision there are two, one of which ends soon (RFC 7296 2.8.2).
   */
  | {
      readonly kind: 'ike-sa-created';
      readonly initiatorSpi: IkeSpi;
      readonly responderSpi: IkeSpi;
    }
  /** The Child SAs moved to `IkeSa.successor`. */
  | { readonly kind: 'ike-rekeyed'; readonly suite: IkeSuite }
  | { readonly kind: 'ike-rekey-failed'; readonly failure: IkeFailure }
  /** Either end was taken over (RFC 6311): requests of ours go on with the one ID, requests of the peer with the other. */
  | {
      readonly kind: 'message-ids-synchronized';
      readonly nextRequestId: number;
      readonly expectedRequestId: number;
    }
  /** `reauthTimeMs` has passed: this IKE SA deletes itself, and the host makes a new one from scratch (RFC 7296 2.8.3). */
  | { readonly kind: 'reauthentication-due' }
  | { readonly kind: 'child-established'; readonly child: ChildSaSummary }
  | { readonly kind: 'child-rekeyed'; readonly child: ChildSaSummary; readonly replaced: ChildSaSummary }
  | { readonly kind: 'child-failed'; readonly name: string; readonly failure: IkeFailure }
  /** It was to be rekeyed and the peer has lost it (RFC 7296 2.25): it stays until another one has been made from scratch. */
  | { readonly kind: 'child-unknown-to-peer'; readonly child: ChildSaSummary }
  | { readonly kind: 'child-ended'; readonly child: ChildSaSummary; readonly failure: IkeFailure }
  | {
      readonly kind: 'virtual-addresses';
      readonly addresses: readonly IpAddress[];
      readonly dns: readonly IpAddress[];
    }
  /**
   * The peer sent a notify under protection that this room does not act upon: in IKE_AUTH, in a rekeying of the IKE SA
   * (then on the new one), or in INFORMATIONAL.
   */
  | { readonly kind: 'notify-received'; readonly notify: NotifyPayload }
  | { readonly kind: 'peer-moved'; readonly from: Endpoint; readonly to: Endpoint }
  /** We are elsewhere (RFC 4555): requests go out from there, and Child SAs follow, now or once the peer has answered. */
  | {
      readonly kind: 'moved';
      readonly from: { readonly local: Endpoint; readonly remote: Endpoint };
      readonly to: { readonly local: Endpoint; readonly remote: Endpoint };
    }
  /** The gateway does not follow us: this IKE SA deletes itself, and the host makes a new one from where it is. */
  | { readonly kind: 'move-refused'; readonly detail: string }
  /** Whether a peer that says, or seems, to be there answers from there (RFC 4555 3.7): Child SAs follow only then. */
  | { readonly kind: 'path-checked'; readonly remote: Endpoint; readonly proven: boolean }
  /** Our first request has another answer, and nobody vouches for either (RFC 7296 2.4): one is forged, or its sender has lost its state. Once. */
  | { readonly kind: 'answered-twice' }
  | { readonly kind: 'nat-detected'; readonly local: boolean; readonly remote: boolean }
  | {
      readonly kind: 'retransmitting';
      readonly exchangeType: number;
      readonly messageId: number;
      readonly attempt: number;
    }
  /** Counted from the first of the tries; `IkeSa.roundTripMs` is the better measure. */
  | { readonly kind: 'liveness-confirmed'; readonly rttMs: number }
  | {
      readonly kind: 'collision';
      readonly of: 'child-rekey' | 'ike-rekey' | 'rekey-delete';
      readonly outcome: string;
    }
  | {
      readonly kind: 'message-rejected';
      readonly reason: string;
      readonly exchangeType: number;
      readonly messageId: number;
    };

/** One line for tshark: the keys of an IKE SA or of a Child SA. */
export type KeyLogEntry =
  | {
      readonly kind: 'ike';
      readonly initiatorSpi: IkeSpi;
      readonly responderSpi: IkeSpi;
      readonly suite: IkeSuite;
      readonly skEi: Uint8Array;
      readonly skEr: Uint8Array;
      readonly skAi: Uint8Array;
      readonly skAr: Uint8Array;
    }
  | {
      readonly kind: 'child';
      readonly protocol: 'esp' | 'ah';
      readonly spi: Spi;
      readonly source: IpAddress;
      readonly destination: IpAddress;
      readonly encryption?: { readonly id: number; readonly keyLengthBits: number; readonly key: Uint8Array };
      readonly integrity?: { readonly id: number; readonly key: Uint8Array };
    };
