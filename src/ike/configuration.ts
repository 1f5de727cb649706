// What one IKE SA must be told: the connection as an operator describes it, typed and checked.
import type { PrivateKey } from '#crypto';
import type {
  HardwareOffload,
  IpAddress,
  PacketMark,
  Prefix,
  Proposal,
  SaDirection,
  SaMode,
  TrafficSelector,
} from '#sa';

/** An IKE identity (RFC 7296 3.5). */
export interface Identity {
  readonly idType: number;
  readonly data: Uint8Array;
}

/** Which identities a peer may show. `any` is `%any`; a pattern may hold `*` as swanctl.conf allows. */
export type IdentityPattern =
  | { readonly kind: 'any' }
  | { readonly kind: 'exact'; readonly identity: Identity }
  | { readonly kind: 'wildcard'; readonly idType: number; readonly pattern: string };

/** How we authenticate ourselves. */
export interface LocalAuthentication {
  /** `eap`: as initiator only, by a password, and only to a peer that proves itself by a certificate (RFC 7296 2.16). */
  readonly method: 'psk' | 'pubkey' | 'eap';
  /** Absent: our address (PSK, EAP) or the certificate's subject (public key). */
  readonly identity?: Identity;
  /** With `eap`: the user that we are. Absent: `identity`. */
  readonly eapIdentity?: Identity;
  /** DER end-entity certificates in order of preference; the first whose key we hold is used. */
  readonly certificates: readonly Uint8Array[];
}

/** How the peer must authenticate itself. */
export interface RemoteAuthentication {
  /** `any` is `psk` or `pubkey`. `eap`: the peer initiates and has a password, and `local.method` is `pubkey`. */
  readonly method: 'psk' | 'pubkey' | 'any' | 'eap';
  readonly identity: IdentityPattern;
  /** With `eap`: which users get in; unless it is exact, they are asked before the method begins. Absent: `identity`. */
  readonly eapIdentity?: IdentityPattern;
  /** DER: only these end-entity certificates are accepted. Empty: any that validates. */
  readonly certificates: readonly Uint8Array[];
  /** DER: the chain must contain one of these. Empty: any trust anchor will do. */
  readonly authorities: readonly Uint8Array[];
  readonly revocation: 'strict' | 'ifuri' | 'relaxed';
}

/** One side of a Child SA's traffic: a selector, or `dynamic` (the outer or virtual address). */
export type ChildSelector =
  | TrafficSelector
  | {
      readonly dynamic: true;
      readonly protocol: number;
      readonly startPort: number;
      readonly endPort: number;
    };

/** Lifetimes of one SA. Rekeying starts at `rekey` minus a random part of `jitter`; the SA ends at `life`. */
export interface LifetimeConfiguration {
  readonly rekeyTimeMs?: number;
  readonly lifeTimeMs?: number;
  readonly jitterTimeMs: number;
  readonly rekeyBytes?: number;
  readonly lifeBytes?: number;
  readonly jitterBytes: number;
  readonly rekeyPackets?: number;
  readonly lifePackets?: number;
  readonly jitterPackets: number;
}

/** Instead of a number: one that no other Child SA has, for both directions or for each of them. */
export type UniqueNumber = 'unique' | 'unique-per-direction';

/** What a Linux kernel tells the packets of one direction of a Child SA by. */
export interface DirectionTies {
  readonly mark?: PacketMark | UniqueNumber;
  /** `same`: what `mark` says. */
  readonly setMark?: PacketMark | 'same';
  /** The number of an XFRM interface. */
  readonly interfaceId?: number | UniqueNumber;
}

/** swanctl.conf `mark_in` to `if_id_out`. */
export interface ChildKernelTies extends Readonly<Record<SaDirection, DirectionTies>> {
  /** Whether the inbound SA too asks for the mark, and not only its policies. */
  readonly markInboundSa: boolean;
}

/** One `children` section. */
export interface ChildConfiguration {
  readonly name: string;
  readonly mode: SaMode;
  /** ESP or AH, in order of preference. */
  readonly proposals: readonly Proposal[];
  readonly localSelectors: readonly ChildSelector[];
  readonly remoteSelectors: readonly ChildSelector[];
  readonly lifetimes: LifetimeConfiguration;
  readonly startAction: 'none' | 'start' | 'trap';
  readonly closeAction: 'none' | 'start' | 'trap';
  readonly dpdAction: 'clear' | 'trap' | 'restart';
  readonly updown?: string;
  readonly policies: boolean;
  readonly replayWindow: number;
  readonly inactivityMs?: number;
  readonly copyDf: boolean;
  readonly copyDscp: 'out' | 'in' | 'yes' | 'no';
  readonly tfcPadding?: number | 'mtu';
  /** Explicit policy priority; absent: derived from the selectors. */
  readonly priority?: number;
  readonly kernelTies?: ChildKernelTies;
  /** Absent: no device does anything of it. */
  readonly hardwareOffload?: HardwareOffload;
}

/** A remote end as configured: an address, a block (responder only), a host name, or anything. */
export type RemoteAddress =
  | { readonly kind: 'any' }
  | { readonly kind: 'address'; readonly address: IpAddress }
  | { readonly kind: 'prefix'; readonly prefix: Prefix }
  | { readonly kind: 'range'; readonly start: IpAddress; readonly end: IpAddress }
  | { readonly kind: 'host'; readonly name: string };

/** One `connections` section. Durations are milliseconds; 0 turns the feature off. */
export interface ConnectionConfiguration {
  readonly name: string;
  readonly localAddresses: readonly RemoteAddress[];
  readonly remoteAddresses: readonly RemoteAddress[];
  readonly localPort: number;
  readonly remotePort: number;
  readonly proposals: readonly Proposal[];
  readonly local: LocalAuthentication;
  readonly remote: RemoteAuthentication;
  readonly children: readonly ChildConfiguration[];
  /** Virtual addresses to ask for; the unspecified address asks for any of its family. */
  readonly virtualAddresses: readonly IpAddress[];
  /** Names of the pools a peer gets its virtual addresses from. */
  readonly pools: readonly string[];
  readonly encap: boolean;
  readonly mobike: boolean;
  readonly fragmentation: 'yes' | 'accept' | 'force' | 'no';
  /** Octets of the IP packet a fragment may fill. */
  readonly fragmentSizeBytes: number;
  readonly sendCertreq: boolean;
  readonly sendCert: 'always' | 'never' | 'ifasked';
  readonly unique: 'no' | 'never' | 'keep' | 'replace';
  readonly dpdDelayMs: number;
  readonly rekeyTimeMs: number;
  readonly reauthTimeMs: number;
  readonly overTimeMs: number;
  readonly jitterTimeMs: number;
  /** How often IKE_SA_INIT is tried as a whole; 0 is for ever. */
  readonly keyingTries: number;
  readonly retransmit: RetransmitConfiguration;
  /** Requests we may have outstanding, and the window we announce (RFC 7296 2.3). */
  readonly windowSize: number;
  /** Announce and answer synchronisation of Message IDs (RFC 6311). Absent: no. */
  readonly messageIdSync?: boolean;
  /** Session resumption (RFC 5723), as client and as gateway. Absent: no ticket is asked for, given or accepted. */
  readonly resumption?: ResumptionConfiguration;
  /** The host's business: what it answers to unknown SPIs of this peer. Absent: as to everybody. */
  readonly unknownSpiPolicy?: 'silent' | 'shy' | 'helpful' | 'debug';
  /** The host's business: whether this peer gets QCD tokens (RFC 6290). Absent: as everybody. */
  readonly quickCrashDetection?: boolean;
}

export interface ResumptionConfiguration {
  /** Gateway: no ticket is good for longer than this; the lifetime of its IKE SA may make it shorter. */
  readonly ticketLifetimeMs: number;
  /** Rekey a resumed IKE SA with a fresh key exchange at once, since resuming makes none (RFC 5723 5.1). */
  readonly freshKeyExchange: boolean;
}

/** Retransmission n waits base * factor^n, less a random part of jitter; after `tries` the exchange failed. */
export interface RetransmitConfiguration {
  readonly baseMs: number;
  readonly factor: number;
  readonly tries: number;
  /** 0 to 1: the part of each wait that is random. */
  readonly jitter: number;
  readonly limitMs?: number;
}

/** A pre-shared key or a password and whose it is; no owners means it fits everybody (the least specific match). */
export interface SharedSecret {
  readonly owners: readonly IdentityPattern[];
  readonly secret: Uint8Array;
}

/** All that is needed to prove who we are and to judge who they are. Certificates are DER. */
export interface Credentials {
  readonly sharedSecrets: readonly SharedSecret[];
  /** Passwords (EAP), by their users. Absent: none. */
  readonly eapSecrets?: readonly SharedSecret[];
  readonly privateKeys: readonly PrivateKey[];
  /** End-entity and intermediate certificates that are known but not trusted. */
  readonly certificates: readonly Uint8Array[];
  /** Trust anchors. */
  readonly authorities: readonly Uint8Array[];
  readonly revocationLists: readonly Uint8Array[];
}
