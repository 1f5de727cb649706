// What goes into a host's engine and what comes out. Drain `poll()` before the next `handle()`.
import type { ComputeJob, ComputeResult } from '#crypto';
import type { HipEvent, HipPath, HipProblem } from '#hip';
import type {
  ChildConfiguration,
  ChildSaSummary,
  ConnectionConfiguration,
  IkeEvent,
  IkeFailure,
  KeyLogEntry,
  SecretTry,
} from '#ike';
import type {
  DataPlaneEvent,
  Endpoint,
  IpAddress,
  SaCommand,
  SaResult,
  SaSelectors,
  UnknownSpiEvidence,
} from '#sa';
import type {
  BudgetRefusal,
  HintMisfit,
  IkeVerdict,
  QuotedPacket,
  SpiClaims,
  SpiOwnership,
  SpiRecord,
  SpiVerdict,
  SuspicionOutcome,
} from '#unknown-spi';
import type { IkeSpi } from '#wire';
import type { EngineConfiguration } from './configuration.ts';
import type { BrakedBy } from './guesses/guess-brake.ts';

/** Inbound traffic of one Child SA pair since it was last told, from the data plane's counters. */
export interface TrafficNote {
  readonly childId: number;
  /** Monotonic milliseconds of the last authenticated inbound packet; absent: there was none. */
  readonly lastInboundAt?: number;
  /** And of the last outbound one. */
  readonly lastOutboundAt?: number;
}

/** What the driver tells the engine. `at` is monotonic milliseconds and never goes back. */
export type EngineInput =
  /** The payload of a UDP datagram that came to one of our two ports, as received. */
  | {
      readonly kind: 'datagram';
      readonly at: number;
      readonly local: Endpoint;
      readonly remote: Endpoint;
      readonly octets: Uint8Array;
    }
  /** A HIP packet: protocol 139, or out of UDP without its marker of four zeros (RFC 9028 5.1). */
  | { readonly kind: 'hip-packet'; readonly at: number; readonly path: HipPath; readonly octets: Uint8Array }
  | { readonly kind: 'timeout'; readonly at: number }
  /** The time of day, for certificate validity only; extrapolated from `at` until told again. */
  | { readonly kind: 'wall-clock'; readonly at: number; readonly wallClockMs: number }
  | { readonly kind: 'command'; readonly at: number; readonly id: number; readonly command: EngineCommand }
  | { readonly kind: 'data-plane'; readonly at: number; readonly event: DataPlaneEvent }
  /** An ICMP error that quotes a packet of ours; from whom it says it is. */
  | {
      readonly kind: 'icmp-error';
      readonly at: number;
      readonly from: IpAddress;
      readonly quote: QuotedPacket;
    }
  | { readonly kind: 'traffic'; readonly at: number; readonly notes: readonly TrafficNote[] }
  /** What the owner registry of this host gave us. Before the first one SPIs are drawn from the whole space. */
  | { readonly kind: 'spi-lease'; readonly at: number; readonly claims: SpiClaims }
  /** What other keying daemons of this host claim. Before the first one there are none. */
  | { readonly kind: 'spi-owners'; readonly at: number; readonly ownership: SpiOwnership }
  /** A `store` output is on the disk and will still be there after a crash. */
  | { readonly kind: 'stored'; readonly at: number; readonly id: number }
  | { readonly kind: 'sa-result'; readonly at: number; readonly id: number; readonly result: SaResult }
  | { readonly kind: 'computed'; readonly at: number; readonly id: number; readonly result: ComputeResult }
  | { readonly kind: 'resolved'; readonly at: number; readonly id: number; readonly result: Resolution };

/** Where a connection leads: host names looked up, and the address the kernel would send from. */
export type Resolution =
  | { readonly ok: true; readonly local: IpAddress; readonly remote: IpAddress }
  | { readonly ok: false; readonly detail: string };

/** What people and control protocols ask for. Each gets exactly one `command-result`. */
export type EngineCommand =
  /** `start` names the connections whose start actions are due; absent: all. */
  | {
      readonly kind: 'load';
      readonly configuration: EngineConfiguration;
      readonly start?: readonly string[];
    }
  /** Succeeds once the Child SA stands. Without `child`: all children of the connection. */
  | { readonly kind: 'initiate'; readonly connection?: string; readonly child?: string }
  /** Ends Child SAs (by `child` or `childId`) or IKE SAs (by `connection` or `ikeId`) with Deletes. */
  | ({ readonly kind: 'terminate' } & SaChoice)
  | ({ readonly kind: 'rekey' } & SaChoice)
  /** Installs the trap policy of a child, whatever its `start_action` is, until it is uninstalled. */
  | { readonly kind: 'install'; readonly connection?: string; readonly child: string }
  | { readonly kind: 'uninstall'; readonly connection?: string; readonly child: string }
  | HipEngineCommand
  | MobilityCommand
  /** Deletes every SA; afterwards nothing is accepted any more. Succeeds when the last one has ended. */
  | { readonly kind: 'shutdown' };

/** What becomes of IKE SAs whose ends may move (RFC 4555) when this host does. */
export type MobilityCommand =
  /** All addresses of this host by which others may reach it. */
  | { readonly kind: 'own-addresses'; readonly own: ReadonlySet<IpAddress> }
  /** The address that an IKE SA uses is gone; the kernel would send from this one. `remote`: of its peer, absent: as before. */
  | {
      readonly kind: 'move-ike';
      readonly ikeId: number;
      readonly local: IpAddress;
      readonly remote?: IpAddress;
    };

/** `peer`: its name in the configuration, or its HIT as 32 hexadecimal digits. */
export type HipEngineCommand =
  /** Succeeds once the association stands. */
  | { readonly kind: 'hip-associate'; readonly peer: string }
  | { readonly kind: 'hip-close' | 'hip-rekey' | 'hip-check'; readonly peer: string }
  /** We are at another address now. */
  | { readonly kind: 'hip-move'; readonly from: IpAddress; readonly to: IpAddress }
  /** All the addresses that this host has now. */
  | { readonly kind: 'hip-addresses'; readonly own: ReadonlySet<IpAddress> };

/** Which SAs a command is about: those that fit everything that is given. */
export interface SaChoice {
  readonly connection?: string;
  readonly child?: string;
  readonly ikeId?: number;
  readonly childId?: number;
}

/** What the engine asks of its driver or tells the world. */
export type EngineOutput =
  /** The payload of one UDP datagram. */
  | {
      readonly kind: 'transmit';
      readonly local: Endpoint;
      readonly remote: Endpoint;
      readonly octets: Uint8Array;
    }
  /** One HIP packet: to protocol 139 if the ports are 0, else into UDP behind a marker of four zeros. */
  | { readonly kind: 'hip-transmit'; readonly path: HipPath; readonly octets: Uint8Array }
  /** One ICMP message, or ICMPv6 with its checksum. */
  | {
      readonly kind: 'icmp';
      readonly local: IpAddress;
      readonly remote: IpAddress;
      readonly octets: Uint8Array;
    }
  | { readonly kind: 'sa-command'; readonly id: number; readonly command: SaCommand }
  | { readonly kind: 'compute'; readonly id: number; readonly job: ComputeJob }
  /**
   * A record to keep, whole or not at all, in place of what stood under `key`; answer with `stored` once it is durable. What
   * depends on it is withheld until then. Records may hold secrets: nobody else may read them. Those of one input come into
   * force in their order. `untilReboot`: the record is of no use once the machine itself has stopped, and need not survive that.
   * `flushBehind`: it is durable enough for `stored` once it survives the end of the process, and is to survive a stop of
   * the machine soon after. `unawaited`: nothing depends on it, and `stored` may be left out.
   */
  | {
      readonly kind: 'store';
      readonly id: number;
      readonly key: string;
      readonly octets: Uint8Array;
      readonly untilReboot?: true;
      readonly flushBehind?: true;
      readonly unawaited?: true;
    }
  /** Answer with `resolved`: the remote host (a name or an address) and the local address to reach it from. */
  | {
      readonly kind: 'resolve';
      readonly id: number;
      readonly host: string;
      readonly port: number;
      readonly local?: IpAddress;
      readonly family?: 4 | 6;
    }
  | { readonly kind: 'command-result'; readonly id: number; readonly result: CommandResult }
  | { readonly kind: 'event'; readonly at: number; readonly event: EngineEvent }
  | { readonly kind: 'key-log'; readonly entry: KeyLogEntry };

export type CommandResult =
  | { readonly ok: true; readonly count: number }
  | {
      readonly ok: false;
      readonly code: 'not-found' | 'no-address' | 'failed' | 'shutting-down';
      readonly detail: string;
    };

/** Which IKE SA an event is about. */
export interface IkeContext {
  readonly ikeId: number;
  readonly initiatorSpi: IkeSpi;
  /** Zero until IKE_SA_INIT is answered. */
  readonly responderSpi: IkeSpi;
  readonly connection: ConnectionConfiguration;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly localIdentity?: string;
  readonly remoteIdentity?: string;
  /** The user that EAP has authenticated. */
  readonly remoteEapIdentity?: string;
  /** Addresses and name servers that the peer gave us. */
  readonly virtualAddresses: readonly IpAddress[];
  readonly nameServers: readonly IpAddress[];
  /** Addresses that we gave the peer. */
  readonly peerVirtualAddresses: readonly IpAddress[];
  /** There is a NAT in front of either side. */
  readonly natDetected: boolean;
  readonly initiator: boolean;
}

export type EngineEvent =
  | { readonly kind: 'ike'; readonly context: IkeContext; readonly event: IkeEvent }
  /** Traffic may flow: routes, virtual addresses and the updown script are due. */
  | {
      readonly kind: 'child-up';
      readonly context: IkeContext;
      readonly child: ChildSaSummary;
      readonly configuration: ChildConfiguration;
    }
  | {
      readonly kind: 'child-down';
      readonly context: IkeContext;
      readonly child: ChildSaSummary;
      readonly configuration: ChildConfiguration;
      readonly failure: IkeFailure;
    }
  /** Traffic of a Child SA asks for it from now on, or no longer: it must find its way to the data plane. */
  | {
      readonly kind: 'trap-set' | 'trap-removed';
      readonly connection: string;
      readonly child: ChildConfiguration;
      readonly selectors: SaSelectors;
    }
  | {
      readonly kind: 'connecting';
      readonly connection: string;
      readonly attempt: number;
      readonly remote: Endpoint;
    }
  | {
      readonly kind: 'connect-failed';
      readonly connection: string;
      readonly detail: string;
      readonly retryInMs?: number;
    }
  /** A ticket did not bring the connection up; a full exchange follows at once. */
  | { readonly kind: 'resumption-failed'; readonly connection: string; readonly detail: string }
  | {
      readonly kind: 'duplicate-ike-sa';
      readonly connection: string;
      readonly kept: number;
      readonly ended: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'datagram-ignored';
      readonly reason: DatagramRefusal;
      readonly remote: Endpoint;
      /** What did not suit in the beginning of an IKE SA. */
      readonly detail?: string;
    }
  | { readonly kind: 'hip'; readonly event: HipEvent }
  /** A HIP packet that an ICMP Parameter Problem may answer (RFC 7401 5.4). */
  | {
      readonly kind: 'hip-problem';
      readonly reason: HipProblem;
      readonly remote: Endpoint;
      readonly outcome: ReplyOutcome;
    }
  | { readonly kind: 'cookie-demanded'; readonly remote: Endpoint }
  /** Somebody tries secrets faster than he may, or seems to. */
  | {
      readonly kind: 'guess-braked';
      readonly outcome: 'delayed' | 'refused';
      readonly by: BrakedBy;
      readonly secret: SecretTry['secret'];
      readonly user: string;
      readonly remote: Endpoint;
      readonly connection: string;
    }
  /** The first output after a start. */
  | {
      readonly kind: 'started';
      /** How often this host has started, as far as its store knows. */
      readonly bootEpoch: number;
      readonly historyRecords: number;
      /** Stored records that were torn or garbled. */
      readonly historyRefused: number;
      /** The token secrets were unreadable: peers will not believe us about what stood before. */
      readonly secretsLost: boolean;
    }
  /** After a restart: an IKE SA of the process before goes on. Its Child SAs follow as `child-up`. */
  | { readonly kind: 'checkpoint-adopted'; readonly context: IkeContext; readonly children: number }
  /** After a restart: an IKE SA, or without SPI all of them, does not go on from what was kept. */
  | {
      readonly kind: 'checkpoint-refused';
      readonly reason: CheckpointRefusal;
      readonly spi?: IkeSpi;
      readonly connection?: string;
    }
  /** An ESP or AH packet that no SA matches, and what was done about it. */
  | {
      readonly kind: 'unknown-spi';
      readonly remote: Endpoint;
      readonly spi: number;
      readonly count: number;
      readonly evidence: UnknownSpiEvidence;
      readonly verdict: SpiVerdict;
      readonly outcome: ReplyOutcome;
      /** Whose it was, if the history knows. */
      readonly owner?: SpiRecord;
    }
  /** An IKE message of no IKE SA that is no request to begin one, and what was done about it. */
  | {
      readonly kind: 'unknown-ike-message';
      readonly remote: Endpoint;
      readonly initiatorSpi: IkeSpi;
      readonly responderSpi: IkeSpi;
      readonly exchangeType: number;
      readonly messageId: number;
      readonly verdict: IkeVerdict;
      readonly outcome: ReplyOutcome;
      /** Of the IKE SA that these SPIs named, if the history knows. */
      readonly connection?: string;
    }
  /** Word that a peer may have lost its state. An unprotected one never changes an SA. */
  | {
      readonly kind: 'hint';
      readonly hint: HintKind;
      readonly remote: Endpoint;
      /** It came under the keys of an IKE SA. */
      readonly protected: boolean;
      readonly outcome: HintOutcome;
      readonly spi?: number;
      readonly connection?: string;
      readonly ikeId?: number;
    }
  /** Packets to a peer have to be smaller. No SA changes for it. */
  | {
      readonly kind: 'path-mtu';
      readonly remote: Endpoint;
      readonly spi: number;
      /** Who said so; absent: this host, of its own device. */
      readonly from?: IpAddress;
      /** Packets may be cut on their way. */
      readonly fragmentable: boolean;
      readonly pathMtuBytes?: number;
      readonly innerMtuBytes?: number;
      readonly connection?: string;
      readonly ikeId?: number;
    }
  | {
      readonly kind: 'recovery';
      readonly connection: string;
      readonly rung: RecoveryRung;
      readonly step: RecoveryStep;
      readonly detail: string;
      /** Monotonic milliseconds of the first sign of the loss, once the peer is called. */
      readonly firstSignAt?: number;
    };

/**
 * Why a restarted host does not go on with an IKE SA:
 * - `disabled`: it is not asked to
 * - `unreadable`: changed, torn, or under another key
 * - `another-place`, `another-boot`: the records are a copy or those of another data plane, or the machine itself has started
 *   again
 * - `stale`: nobody confirmed it lately
 * - `superseded`: the record is older than the last one
 * - `expired`: its lifetime is over
 * - `not-configured`: its connection, or a child of it, is not configured any more
 * - `conflict`: something that it holds is somebody else's now
 */
export type CheckpointRefusal =
  | 'disabled'
  | 'unreadable'
  | 'another-place'
  | 'another-boot'
  | 'stale'
  | 'superseded'
  | 'expired'
  | 'not-configured'
  | 'conflict';

/** What became of an answer that a verdict asked for. */
export type ReplyOutcome =
  | 'nothing-to-send'
  | 'sent'
  | 'sent-protected'
  /** Counted, and told with the next one. */
  | 'folded'
  | BudgetRefusal;

export type HintKind = 'invalid-spi' | 'invalid-ike-spi' | 'invalid-major-version' | 'icmp' | 'token';

export type HintOutcome =
  | HintMisfit
  | SuspicionOutcome
  /** The request that it answers is a liveness check already. */
  | 'probe-outstanding'
  /** The token is the one that the peer gave us: it has forgotten the IKE SA. */
  | 'proven'
  | 'token-unknown'
  | 'too-many-tokens'
  /** A protected INVALID_SPI: the Child SA is replaced. */
  | 'replacing-child';

/** Which rung of the recovery ladder is at work. */
export type RecoveryRung =
  | 'token'
  | 'restart'
  | 'unknown-spi'
  | 'silence'
  /** The peer, which lost its state, found its way back by itself. */
  | 'peer';

export type RecoveryStep =
  /** Our traffic is not answered: the peer is asked whether it lives. */
  | 'checking'
  | 'parallel'
  | 'calling'
  /** The peer called us. */
  | 'called'
  | 'waiting'
  | 'answered'
  | 'moved'
  /** The fresh IKE SA is there. */
  | 'stands'
  /** Protected traffic comes in again. */
  | 'back'
  | 'given-up';

/** Why a datagram did not reach an IKE SA. */
export type DatagramRefusal =
  | 'malformed'
  | 'version'
  | 'unknown-ike-spi'
  | 'no-connection'
  | 'half-open-limit'
  | 'keepalive'
  | 'esp'
  | 'shutting-down'
  | 'refused';
