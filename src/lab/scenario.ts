// A scenario as data: who is there, what the network is like, and what happens when.
import type { CheckpointOptions, EngineCommand, EngineConfiguration } from '#engine';
import type { Endpoint, IpAddress } from '#sa';
import type { Datagram } from './network/datagram.ts';

/** How the network treats datagrams between any two hosts. Probabilities are 0 to 1. */
export interface LinkQuality {
  /** One way. */
  readonly delayMs: number;
  /** Up to so much more delay, drawn for each datagram. */
  readonly jitterMs: number;
  readonly loss: number;
  readonly duplication: number;
  /** Held back by up to `reorderMs`, so that later ones overtake it. */
  readonly reordering: number;
  readonly reorderMs: number;
  readonly corruption: number;
}

/** A NAT in front of one host: addresses and ports are translated, and native ESP does not pass. */
export interface NatScenario {
  /** The first is used until the NAT is rebound. */
  readonly publicAddresses: readonly IpAddress[];
  /** A mapping that carried nothing for so long is forgotten. */
  readonly mappingLifetimeMs: number;
}

export interface HostScenario {
  readonly name: string;
  /** Where its sockets are bound; behind a NAT, its private address. */
  readonly address: IpAddress;
  /** Where `move` may take it later. */
  readonly laterAddresses?: readonly IpAddress[];
  readonly configuration: EngineConfiguration;
  readonly nat?: NatScenario;
  /** Goes on with its SAs after a restart; `place` is that of its disk. */
  readonly checkpoint?: { readonly recordKey: Uint8Array; readonly options: CheckpointOptions };
  /** How long a data plane takes to carry out a command; 0 is at once. */
  readonly dataPlaneDelayMs: number;
  /** How long a job or a name lookup takes. */
  readonly computeDelayMs: number;
  /** How often the data plane tells which SAs were used; absent: once a second. */
  readonly trafficReportMs?: number;
  /** What records are sealed with; absent: tickets end with the process (see `EngineOptions`). */
  readonly recordKey?: Uint8Array;
}

/** Packets from a place behind one host to a place behind another. */
export interface FlowScenario {
  readonly from: string;
  readonly to: string;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly intervalMs: number;
  readonly payloadBytes: number;
  /** No policy covers it: nothing of it may leave its host. */
  readonly stray?: boolean;
}

/** What can be made to happen. */
export type Action =
  | { readonly kind: 'command'; readonly host: string; readonly command: EngineCommand }
  | { readonly kind: 'link'; readonly quality: LinkQuality }
  /** Nothing gets from one host to the other, or, with `oneWay`, from the first to the second. */
  | { readonly kind: 'partition'; readonly between: readonly [string, string]; readonly oneWay: boolean }
  | { readonly kind: 'reconnect' }
  /** The host loses everything but its configuration (and its randomness goes on). */
  | { readonly kind: 'crash'; readonly host: string }
  | { readonly kind: 'restart'; readonly host: string }
  /** The process of the host is stopped, or its machine is busy: it finds time passed, and what came meanwhile. */
  | { readonly kind: 'pause' | 'resume'; readonly host: string }
  /** The NAT forgets its mappings; `address` moves it to its next public address. */
  | { readonly kind: 'rebind'; readonly host: string; readonly address: boolean }
  /** The host loses its address and has another one, or none; it is told as the daemon tells it. */
  | { readonly kind: 'move'; readonly host: string; readonly address: IpAddress | undefined }
  /** The data plane of a host refuses this share of the SAs that it is to install. */
  | { readonly kind: 'refuse-installs'; readonly host: string; readonly probability: number }
  | { readonly kind: 'inject'; readonly datagram: Datagram }
  | { readonly kind: 'attack'; readonly attack: Attack }
  | { readonly kind: 'flows'; readonly running: boolean };

/** What an attacker without keys tries against a host. */
export type AttackKind =
  | 'garbage'
  | 'unknown-ike-spi'
  | 'higher-version'
  | 'forged-invalid-spi'
  | 'forged-invalid-ike-spi'
  | 'forged-tokens'
  | 'forged-icmp'
  | 'forged-hip'
  | 'replayed-hip'
  | 'i1-flood'
  | 'forged-delete'
  | 'init-flood'
  /** An answer to the newest IKE_SA_INIT request of the target, ahead of the true one. */
  | 'forged-first-answer'
  | 'random-esp'
  | 'replay'
  | 'truncation';

export interface Attack {
  readonly kind: AttackKind;
  readonly target: string;
  /** Where it claims to come from; absent: from the target's peer. */
  readonly source?: Endpoint;
  readonly count: number;
  /** The attacker has overheard nothing, and guesses. */
  readonly offPath?: boolean;
}

export interface TimedAction {
  /** Virtual milliseconds. */
  readonly at: number;
  readonly action: Action;
}

export interface Scenario {
  /** Everything random in the simulation follows from it. */
  readonly seed: number;
  readonly hosts: readonly HostScenario[];
  readonly link: LinkQuality;
  readonly flows: readonly FlowScenario[];
  readonly timeline: readonly TimedAction[];
}
