// From hints that fit to at most one liveness check per SA and back-off window (RFC 7296 2.4, 2.21.4).
import { BackOff } from '../budgets/back-off.ts';

/** The first check is free, the next ones wait: minutes at most, so that a true hint is not lost for long. */
const limits = { windowMsMin: 2_000, windowMsMax: 300_000, subjectsMax: 65_536 };

export interface Suspect {
  readonly ikeId: number;
  /** When the last fresh protected packet or message of the peer came. */
  readonly lastInboundAt: number;
  /** When the packet was sent that the hint is about; unknown: the hint's own arrival. */
  readonly quotedSentAt?: number;
}

export type SuspicionOutcome =
  /** Send an empty INFORMATIONAL now. */
  | 'check'
  /** The peer has proven since that it lives. */
  | 'fresh-traffic'
  | 'back-off';

/** Remembers which IKE SAs were checked because of hints. */
export class Suspicion {
  readonly #backOff = new BackOff(limits);

  /** How many of them are remembered. */
  get size(): number {
    return this.#backOff.size;
  }

  raise({ ikeId, lastInboundAt, quotedSentAt }: Suspect, at: number): SuspicionOutcome {
    if (lastInboundAt > (quotedSentAt ?? at)) return 'fresh-traffic';
    return this.#backOff.take(String(ikeId), at) ? 'check' : 'back-off';
  }

  /** The IKE SA is gone. */
  forget(ikeId: number): void {
    this.#backOff.forget(String(ikeId));
  }
}
