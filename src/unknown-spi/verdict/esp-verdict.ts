// ESP and AH with an unknown SPI: evidence and facts in, one verdict with its reason out. Pure.
import type { UnknownSpiEvidence } from '#sa';
import type { IkeSpi } from '#wire';
import { type NotAnswerable, unanswerableEvidence } from './answerable.ts';
import type { UnknownSpiPolicy } from './policy.ts';

/** Which keying protocol a source is configured to use with us. */
export interface ConfiguredProtocols {
  readonly ike: boolean;
  readonly hip: boolean;
}

/** What the history knows of the SPI (`SpiHistory`), as far as the verdict needs it. */
export interface SpiHistoryFact {
  readonly keying: 'ike' | 'hip';
  readonly initiatorSpi: IkeSpi;
  readonly responderSpi: IkeSpi;
  /** A token of ours was given to the peer under this IKE SA. */
  readonly quickCrashDetection: boolean;
  /** Deleted or rekeyed so recently that packets may still be under way. */
  readonly late: boolean;
  /** A configured or ticketed peer whom we may call ourselves. */
  readonly reestablishable: boolean;
}

/** What the host knows beside the packet itself. */
export interface SpiFacts {
  readonly policy: UnknownSpiPolicy;
  /** Re-adoption and the dump of SPI owners have finished. */
  readonly ready: boolean;
  readonly destinationIsOurs: boolean;
  /**
   * - `us`: an SA of ours that is being installed or that a data plane has not heard of yet
   * - `other`: claimed by another keying daemon of this host
   * - `unreadable`: another daemon is there, and what it claims cannot be read
   */
  readonly owner: 'nobody' | 'us' | 'other' | 'unreadable';
  readonly history: SpiHistoryFact | undefined;
  /** A standing IKE SA with the packet's source (address, and port where NAT is in between). */
  readonly ikeSa: { readonly ikeId: number } | undefined;
  /** An IKE SA with the history's SPIs lives here, in the cluster, or awaits re-adoption. */
  readonly historyIkeSaLive: boolean;
  readonly configured: ConfiguredProtocols;
}

export type SpiIgnored =
  | 'not-ready'
  /** Deleted or rekeyed within the grace period. */
  | 'late'
  | 'ours'
  | 'owner-unreadable'
  /** The policy says so. */
  | 'policy'
  /** Native ESP or AH of which nobody knows whether IKE or HIP made it. */
  | 'protocol-unclear';

/** What is to be done about a packet with an unknown SPI. Budgets come after it. */
export type SpiVerdict =
  | { readonly kind: 'ignore'; readonly reason: SpiIgnored }
  | { readonly kind: 'ignore'; readonly reason: 'not-answerable'; readonly because: NotAnswerable }
  | { readonly kind: 'leave-to-owner'; readonly reason: 'claimed' }
  /** INVALID_SPI in an INFORMATIONAL over this IKE SA (RFC 7296 1.5, 2.21.4). */
  | { readonly kind: 'notify-protected'; readonly reason: 'ike-sa-stands'; readonly ikeId: number }
  | {
      readonly kind: 'notify-unprotected';
      readonly reason: 'history-with-tokens';
      /** Whose tokens go out with it (RFC 6290 8.2). */
      readonly tokensFor: { readonly initiatorSpi: IkeSpi; readonly responderSpi: IkeSpi };
      readonly reestablish: boolean;
    }
  | {
      readonly kind: 'notify-unprotected';
      /** `history-live`: what the history names still lives, so no token may leave (RFC 6290 9.2). */
      readonly reason: 'history-without-tokens' | 'history-live' | 'unknown';
      readonly reestablish: boolean;
    }
  /** RFC 7402 5.4.1: HIP's own way to say it. */
  | {
      readonly kind: 'parameter-problem';
      readonly reason: 'hip-unknown';
      readonly reestablish: boolean;
    };

const hipPort = 10500;

/** Whose the packet is: that of its UDP port, of the SPI's last owner, or of the only protocol this source may speak. */
function keyingProtocol(evidence: UnknownSpiEvidence, facts: SpiFacts): 'ike' | 'hip' | undefined {
  if (evidence.encapsulated) return evidence.destination.port === hipPort ? 'hip' : 'ike';
  if (facts.history !== undefined) return facts.history.keying;
  const { ike, hip } = facts.configured;
  return ike === hip ? undefined : ike ? 'ike' : 'hip';
}

function ignore(reason: SpiIgnored): SpiVerdict {
  return { kind: 'ignore', reason };
}

/** The rows in the order in which they count. */
export function judgeUnknownSpi(evidence: UnknownSpiEvidence, facts: SpiFacts): SpiVerdict {
  const { policy, history, ikeSa } = facts;
  const because = unanswerableEvidence(evidence, facts.destinationIsOurs);
  if (because !== undefined) return { kind: 'ignore', reason: 'not-answerable', because };
  if (!facts.ready) return ignore('not-ready');
  if (facts.owner === 'other') return { kind: 'leave-to-owner', reason: 'claimed' };
  if (facts.owner === 'us') return ignore('ours');
  if (history?.late === true) return ignore('late');
  if (facts.owner === 'unreadable' && !evidence.encapsulated) return ignore('owner-unreadable');
  if (ikeSa !== undefined && !isHip(evidence, facts)) {
    return policy.notifyProtected
      ? { kind: 'notify-protected', reason: 'ike-sa-stands', ikeId: ikeSa.ikeId }
      : ignore('policy');
  }
  return judgeStranger(evidence, facts);
}

/** Surely HIP's: an IKE SA with the same host has nothing to say about it. */
function isHip(evidence: UnknownSpiEvidence, { history }: SpiFacts): boolean {
  return evidence.encapsulated ? evidence.destination.port === hipPort : history?.keying === 'hip';
}

/** Nobody's IKE SA can say it: whatever is said now is unprotected. */
function judgeStranger(evidence: UnknownSpiEvidence, facts: SpiFacts): SpiVerdict {
  const { policy, history } = facts;
  if (policy.notifyUnprotected === 'nobody') return ignore('policy');
  const reestablish = policy.reestablish && history?.reestablishable === true && !facts.historyIkeSaLive;
  const keying = keyingProtocol(evidence, facts);
  if (keying === 'hip') return { kind: 'parameter-problem', reason: 'hip-unknown', reestablish };
  if (history !== undefined && history.keying === 'ike') {
    const kind = 'notify-unprotected';
    if (facts.historyIkeSaLive) return { kind, reason: 'history-live', reestablish };
    const { initiatorSpi, responderSpi, quickCrashDetection } = history;
    return policy.tokens && quickCrashDetection
      ? { kind, reason: 'history-with-tokens', tokensFor: { initiatorSpi, responderSpi }, reestablish }
      : { kind, reason: 'history-without-tokens', reestablish };
  }
  if (keying === undefined && policy.notifyUnprotected === 'clear-protocol')
    return ignore('protocol-unclear');
  return { kind: 'notify-unprotected', reason: 'unknown', reestablish };
}
