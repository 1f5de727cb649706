// The typed configuration an engine accepts. `config` makes it from text; a Node program may write it by hand.
import type { HipConfiguration } from '#hip';
import type { ConnectionConfiguration, Credentials } from '#ike';
import type { IpAddress, Prefix } from '#sa';
import type { UnknownSpiPolicyName } from '#unknown-spi';

/** A pool of virtual addresses (swanctl.conf `pools`). */
export interface PoolConfiguration {
  readonly name: string;
  readonly addresses: Prefix | { readonly start: IpAddress; readonly end: IpAddress };
  readonly dns: readonly IpAddress[];
  readonly nbns: readonly IpAddress[];
  /** Sent as INTERNAL_IP4_SUBNET and INTERNAL_IP6_SUBNET. */
  readonly subnets: readonly Prefix[];
}

/** Bounds on state that strangers can make us hold (RFC 7296 2.6, 21). */
export interface HalfOpenLimits {
  /** Half-open IKE SAs in all, beyond which a COOKIE is demanded from everybody. */
  readonly cookieThreshold: number;
  /** Half-open IKE SAs of one source address, beyond which a COOKIE is demanded from it. */
  readonly cookieThresholdPerSource: number;
  /** Half-open IKE SAs in all, beyond which requests are dropped. */
  readonly halfOpenMax: number;
  readonly halfOpenTimeoutMs: number;
}

/** What the host does about SPIs that nobody knows, and how it finds its own lost peers again. */
export interface UnknownSpiConfiguration {
  /** Connections may have a policy of their own. */
  readonly policy: UnknownSpiPolicyName;
  /** Give QCD tokens to peers (RFC 6290). Off where hosts share a secret without knowing of each other's IKE SAs (9.2). */
  readonly quickCrashDetection: boolean;
  /** SPIs whose owners are remembered, living ones included. Takes effect at the next start. */
  readonly historySize: number;
  /** After a restart more answers per second may go out for this long; 0: never. */
  readonly rebootWindowMs: number;
  /** Packets of an SA that ended this lately are still under way, and are not answered. */
  readonly graceMs: number;
  /** A peer that is slow to answer gets a fresh IKE_SA_INIT beside the IKE SA that still retransmits. */
  readonly parallelAttempts: boolean;
  /** Call the peers whom a restart made us forget, as far as the policy does. Off, they have to notice by themselves. */
  readonly reestablish: boolean;
}

/** Everything one host's engine is told at its start and at each reload. */
export interface EngineConfiguration {
  readonly connections: readonly ConnectionConfiguration[];
  readonly credentials: Credentials;
  readonly pools: readonly PoolConfiguration[];
  /** UDP ports we receive on: IKE, and IKE and ESP behind a non-ESP marker (RFC 3948). */
  readonly ports: { readonly ike: number; readonly natTraversal: number };
  readonly halfOpen: HalfOpenLimits;
  /** NAT keepalives (RFC 3948 4); 0 turns them off. */
  readonly natKeepaliveMs: number;
  /** How tickets for session resumption are made (RFC 5723 6). A reload does not change it. */
  readonly tickets?: TicketConfiguration;
  /** Absent: the defaults. */
  readonly unknownSpi?: Partial<UnknownSpiConfiguration>;
  /** Absent, or without an identity: this host has no HIP. */
  readonly hip?: HipConfiguration;
}

export interface TicketConfiguration {
  /** `value`: the state of an IKE SA travels in its ticket, encrypted. `reference`: it stays here, in bounded memory. */
  readonly form: 'value' | 'reference';
  /** How long one key makes tickets. */
  readonly keyLifetimeMs: number;
}
