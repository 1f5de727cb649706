// Counters and lifetimes of one SA (RFC 4301 4.4.2.1).
import type { SaCounters, SaLifetimes } from '#sa';
import type { SaProgress } from './sa-progress.ts';

/** What using an SA once more did to its lifetime. */
export type LifetimeChange = 'none' | 'soft' | 'hard';

/** How much an SA was used. It goes on to say so when the SA is gone. */
export interface SaUsage {
  readonly packets: number;
  /** Packets that were refused, or that were nothing once they were opened. */
  readonly refusals: number;
  counters(): SaCounters;
}

/** Bytes are the octets under protection: the inner packet in tunnel mode, the upper layer in transport mode. */
export class Usage implements SaUsage {
  readonly #lifetimes: SaLifetimes;
  readonly #expiresAt: number;
  readonly #progress: SaProgress | undefined;
  #softReported = false;
  #expired = false;
  #bytes = 0;
  #packets = 0;
  #lastUsedAt: number | undefined;
  integrityFailures = 0;
  replays = 0;
  malformed = 0;

  /**
   * @param at monotonic milliseconds of the installation
   * @param progress where sums go on from and are noted
   */
  constructor(lifetimes: SaLifetimes, at: number, progress?: SaProgress) {
    this.#lifetimes = lifetimes;
    this.#progress = progress;
    this.#bytes = progress?.octets ?? 0;
    this.#packets = progress?.packets ?? 0;
    this.#expiresAt =
      lifetimes.hardTimeMs === undefined ? Number.POSITIVE_INFINITY : at + lifetimes.hardTimeMs;
  }

  get packets(): number {
    return this.#packets;
  }

  get refusals(): number {
    return this.integrityFailures + this.replays + this.malformed;
  }

  /** Whether a hard lifetime has ended: the SA must not be used. */
  get expired(): boolean {
    return this.#expired;
  }

  /** Monotonic milliseconds at which the SA ends by time; infinite if it does not, or already has. */
  get expiresAt(): number {
    return this.#expired ? Number.POSITIVE_INFINITY : this.#expiresAt;
  }

  /** Ends the SA if its time is over; true only the first time. */
  expireByTime(at: number): boolean {
    if (this.#expired || at < this.#expiresAt) return false;
    this.#expired = true;
    return true;
  }

  /** Ends the SA if it may not carry this many octets more; true only the first time. */
  expireByVolume(bytes: number): boolean {
    if (this.#expired) return false;
    const { hardBytes, hardPackets } = this.#lifetimes;
    const over =
      (hardBytes !== undefined && this.#bytes + bytes > hardBytes) ||
      (hardPackets !== undefined && this.#packets + 1 > hardPackets);
    if (over) this.#expired = true;
    return over;
  }

  /** Counts one packet. `soft` is reported once. */
  record(bytes: number, at: number): LifetimeChange {
    this.#bytes += bytes;
    this.#packets += 1;
    this.#lastUsedAt = at;
    this.#progress?.noteUse(this.#bytes, this.#packets);
    const { softBytes, softPackets, hardBytes, hardPackets } = this.#lifetimes;
    // The last packet that fits ends the SA at once: the report should not wait for the first packet to be refused.
    if (
      (hardBytes !== undefined && this.#bytes >= hardBytes) ||
      (hardPackets !== undefined && this.#packets >= hardPackets)
    ) {
      this.#expired = true;
      return 'hard';
    }
    if (this.#softReported) return 'none';
    const soft =
      (softBytes !== undefined && this.#bytes >= softBytes) ||
      (softPackets !== undefined && this.#packets >= softPackets);
    this.#softReported = soft;
    return soft ? 'soft' : 'none';
  }

  counters(): SaCounters {
    return {
      bytes: this.#bytes,
      packets: this.#packets,
      integrityFailures: this.integrityFailures,
      replays: this.replays,
      malformed: this.malformed,
      ...(this.#lastUsedAt === undefined ? {} : { lastUsedAt: this.#lastUsedAt }),
    };
  }
}
