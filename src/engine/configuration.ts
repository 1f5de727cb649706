// The typed configuration an engine accepts. `config` makes it from text; a Node program may write it by hand.
import type { ConnectionConfiguration, Credentials } from '#ike';
import type { IpAddress, Prefix } from '#sa';

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
}

export interface TicketConfiguration {
  /** `value`: the state of an IKE SA travels in its ticket, encrypted. `reference`: it stays here, in bounded memory. */
  readonly form: 'value' | 'reference';
  /** How long one key makes tickets. */
  readonly keyLifetimeMs: number;
}
