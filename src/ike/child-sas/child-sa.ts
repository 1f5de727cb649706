// One Child SA pair: what was agreed, how far its life is, and the commands that install and remove it.
import type { ChildSuite, OffloadKind, SaDirection, SaMode, SaProtocol, Spi, TrafficSelector } from '#sa';
import type { RetainedPair } from '../checkpoint/retained.ts';
import type { ChildConfiguration } from '../configuration.ts';
import type { ChildSaSummary } from '../interface.ts';
import { kernelTiesOfPolicy } from './kernel-ties.ts';

/**
 * - `installed`: in use
 * - `replaced`: a rekeyed pair took over; its Delete is awaited or queued
 * - `deleting`: our Delete is on its way
 */
export type ChildSaPhase = 'installed' | 'replaced' | 'deleting';

/** What both ends agreed upon. */
export interface ChildAgreement {
  readonly childId: number;
  readonly generation: number;
  readonly configuration: ChildConfiguration;
  readonly protocol: SaProtocol;
  readonly mode: SaMode;
  readonly suite: ChildSuite;
  readonly inboundSpi: Spi;
  readonly outboundSpi: Spi;
  readonly local: readonly TrafficSelector[];
  readonly remote: readonly TrafficSelector[];
}

/** A rekeying of a Child SA that the peer began while ours was under way (RFC 7296 2.8.1). */
export interface ChildCollision {
  /** The pair that the peer's exchange made. */
  readonly child: ChildSa;
  /** The lower nonce of the peer's exchange. */
  readonly lowestNonce: Uint8Array;
}

export interface ChildSa {
  readonly agreement: ChildAgreement;
  /** Whether we began the exchange that made it. */
  readonly initiator: boolean;
  readonly installedAt: number;
  phase: ChildSaPhase;
  /** Whether our traffic leaves through it. */
  outboundInUse: boolean;
  rekeyAt: number | undefined;
  /** How often replacing it failed. */
  rekeyFailures?: number;
  expiresAt: number | undefined;
  /** What a network device does of either SA. Absent: nothing. */
  offloaded?: Readonly<Partial<Record<SaDirection, OffloadKind>>>;
  collision: ChildCollision | undefined;
  /** The pair that it replaces, until that one is gone. */
  replaces: ChildSa | undefined;
  /** Only where the host keeps checkpoints. */
  retained: RetainedPair | undefined;
}

export function summaryOf(child: ChildSa): ChildSaSummary {
  const { childId, generation, configuration, inboundSpi, outboundSpi, local, remote, mode, suite } =
    child.agreement;
  const kernelTies = kernelTiesOfPolicy(configuration, childId);
  const summary = {
    childId,
    generation,
    name: configuration.name,
    inboundSpi,
    outboundSpi,
    local,
    remote,
    mode,
    suite,
  };
  return kernelTies === undefined ? summary : { ...summary, kernelTies };
}
