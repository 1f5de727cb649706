// What a host is told about HIP: its own identities, its peers, and how it deals with strangers.
import type { HostIdentity, PrivateKey } from '#crypto';
import type { IpAddress } from '#sa';
import type { Hit } from '#wire';

/** A Host Identity of ours. */
export interface LocalIdentity {
  readonly identity: HostIdentity;
  readonly key: PrivateKey;
  /** In no directory: the A control is set in R1 and I2 (RFC 7401 5.1.2). */
  readonly anonymous: boolean;
}

/**
 * Where another implementation reads the RFCs in its own way. Each is asked for peer by peer, and everything else stays as
 * the RFCs have it.
 */
export const hipQuirks = {
  /** HMAC-SHA-256 in ESP has an ICV of 96 bits, as before RFC 4868. */
  shortIcv: 'esp-icv-96',
  /** ESP has sequence numbers of 32 bits, as before RFC 7402 3.3.6. */
  shortSequence: 'esp-sequence-32',
  /** R2 is signed by HIP_SIGNATURE_2, which RFC 7401 5.2.15 has for R1 alone. */
  signature2InR2: 'r2-signature-2',
} as const;

export type HipQuirk = (typeof hipQuirks)[keyof typeof hipQuirks];

/** A host that we may call. */
export interface HipPeer {
  readonly name: string;
  /** Absent: whoever answers at its address (opportunistic mode, RFC 7401 4.1.8). */
  readonly hit?: Hit;
  /** Where to send I1, best first. None: the peer has to call. */
  readonly addresses: readonly IpAddress[];
  /**
   * Stands for the HIT where applications speak IPv4 only; of this host alone. Absent: an address in 1.0.0.0/8 that follows
   * from the HIT.
   */
  readonly lsi?: IpAddress;
  /** I1 goes in UDP to this port, for a NAT on the way (RFC 9028 5.1); absent: right in IP. */
  readonly udpPort?: number;
  /** Which of our identities it knows; absent: the first that its R1 accepts. */
  readonly localHit?: Hit;
  /** Absent: none. */
  readonly quirks?: readonly HipQuirk[];
  /** We want it to be our rendezvous server (RFC 8004 3.2). */
  readonly registration?: { readonly lifetimeMs: number };
  /** The server whose client it is: it gets every I1, too. Whose own addresses nobody knows is called at the server's. */
  readonly rendezvous?: { readonly name: string; readonly addresses: readonly IpAddress[] };
}

/** What we offer to others (RFC 8003 3.1): of all services, rendezvous (RFC 8004). */
export interface RegistrarConfiguration {
  readonly lifetimeMsMin: number;
  readonly lifetimeMsMax: number;
  readonly registrationsMax: number;
  /** Who may register; absent: everybody who may have an association. */
  readonly clients?: readonly Hit[];
  /** I1 packets per second that are relayed for one source prefix and in all: they leave larger than they came. */
  readonly relayPerSecond: { readonly perPrefix: number; readonly total: number };
}

/** How the puzzle gets harder under load (RFC 7401 4.1.2). */
export interface PuzzleConfiguration {
  /** #K while few ask. */
  readonly difficultyMin: number;
  /** #K under a flood. */
  readonly difficultyMax: number;
  /** I1 packets per second from which on #K rises, one bit with each doubling. */
  readonly calmPerSecond: number;
  /** The exponent of PUZZLE: valid for 2^(lifetime - 32) seconds. */
  readonly lifetime: number;
  /** Beyond this, the R1 of a peer is not worth its work: we do not solve it. */
  readonly acceptedDifficultyMax: number;
}

export interface HipRetransmission {
  /** The first wait, longer than any round trip that is expected (RFC 7401 6.6, 6.8); it doubles. */
  readonly baseMs: number;
  readonly tries: number;
}

/** Best first, wherever there are several. */
export interface HipConfiguration {
  readonly identities: readonly LocalIdentity[];
  readonly peers: readonly HipPeer[];
  /** Whose I2 is accepted: peers of the list, or of anybody. */
  readonly accept: 'configured' | 'any';
  /** Hosts that are not of the list, at most. Each costs a pair of SAs until nobody has used it for long. */
  readonly strangersMax: number;
  /** `HipDhGroup`s */
  readonly groups: readonly number[];
  /** `HipCipher`s */
  readonly ciphers: readonly number[];
  /** `HipEspSuite`s */
  readonly espSuites: readonly number[];
  readonly puzzle: PuzzleConfiguration;
  /** R1 packets per second for one source prefix (IPv4 /32, IPv6 /64) and in all: they are larger than I1 (RFC 7401 6.7). */
  readonly r1PerSecond: { readonly perPrefix: number; readonly total: number };
  readonly retransmission: HipRetransmission;
  /** UAL: an association that nobody uses for this long is closed (RFC 7401 4.4.2). */
  readonly unusedMs: number;
  /** MSL: how long a packet may wander. */
  readonly segmentLifetimeMs: number;
  /** How long a failed base exchange keeps others from being tried. */
  readonly failedMs: number;
  /** RFC 9028 4.10: in UDP, a peer to which nothing was sent for so long gets a keepalive. */
  readonly keepaliveMs: number;
  /** ESP SAs are replaced after this; 0: not for their age. */
  readonly rekeyMs: number;
  readonly replayWindow: number;
  /** Our addresses as peers are told of them (RFC 8047); empty: the one in use. */
  readonly addresses: readonly IpAddress[];
  /** How long peers may use an address of ours before they are told of it again. */
  readonly locatorLifetimeMs: number;
  /** A peer with several addresses that does not answer traffic for this long is asked whether it does so elsewhere. */
  readonly failoverMs: number;
  /** Data goes to an address that nobody has verified, as far as credit does; the data plane has to count it. */
  readonly usesCredit: boolean;
  /** Absent: nobody can register with us. */
  readonly registrar?: RegistrarConfiguration;
}

/** Defaults for what an operator need not say. */
export const hipDefaults: Omit<HipConfiguration, 'identities' | 'peers'> = {
  accept: 'configured',
  strangersMax: 10_000,
  // ECP_256, ECP_384, MODP_3072, MODP_2048
  groups: [7, 8, 4, 11],
  // AES-128-CBC and AES-256-CBC
  ciphers: [2, 4],
  // AES-128-CBC with HMAC-SHA-256, which all have (RFC 7402 5.1.2), behind AES-GCM
  espSuites: [13, 8, 9, 11],
  puzzle: { difficultyMin: 4, difficultyMax: 20, calmPerSecond: 32, lifetime: 38, acceptedDifficultyMax: 24 },
  r1PerSecond: { perPrefix: 8, total: 2_000 },
  retransmission: { baseMs: 1_000, tries: 5 },
  unusedMs: 15 * 60_000,
  segmentLifetimeMs: 2 * 60_000,
  failedMs: 5_000,
  keepaliveMs: 15_000,
  rekeyMs: 60 * 60_000,
  replayWindow: 64,
  addresses: [],
  locatorLifetimeMs: 60 * 60_000,
  failoverMs: 500,
  usesCredit: true,
};

/** The same for a registrar. */
export const registrarDefaults: RegistrarConfiguration = {
  // RFC 8003 5: ten seconds is what every host has to support.
  lifetimeMsMin: 10_000,
  lifetimeMsMax: 60 * 60_000,
  registrationsMax: 1_000,
  relayPerSecond: { perPrefix: 8, total: 200 },
};
