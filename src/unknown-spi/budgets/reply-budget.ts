// The gate in front of every unauthenticated reply: never more octets than came in, and only so many packets.
import type { IpAddress } from '#sa';
import { isIpv6 } from '#sa';
import type { ReplyRate, UnknownSpiPolicy } from '../verdict/policy.ts';
import { RateBucket } from './rate.ts';
import { creditBytesMax, SourceTable } from './source-table.ts';

/** Of the IP and UDP headers around a payload; options and extension headers are not counted to anybody's credit. */
export function ipOverheadBytes(address: IpAddress, udp: boolean): number {
  return (isIpv6(address) ? 40 : 20) + (udp ? 8 : 0);
}

export type BudgetRefusal =
  /** The byte rule: more would go out than came in claiming that source. */
  'prefix-credit' | 'total-credit' | 'source-rate' | 'total-rate';

/** Strangers cannot use up the share of peers that the history or the configuration names. */
export type BudgetShare = 'strangers' | 'known';

interface Level {
  readonly left: number;
  readonly limit: number;
}

export interface ReplyRequest {
  readonly destination: IpAddress;
  /** The whole IP packet of the reply. */
  readonly ipBytes: number;
  /** Whose rates hold; absent: the byte rule alone, as for COOKIE, which is always shorter than what asked for it. */
  readonly policy?: UnknownSpiPolicy;
  /** The history or the configuration names this address: strangers cannot use up its share. */
  readonly known: boolean;
  /** Inside the window after a boot more packets may go out, never more octets. */
  readonly rebootAware: boolean;
}

export interface ReplyBudgetOptions {
  /** Prefixes remembered at a time. */
  readonly sources: number;
  /** Makes cells unpredictable to strangers. */
  readonly salt: number;
  readonly at: number;
}

/** By how much the window after a boot raises rates: everybody whom we forgot calls at once. */
const rebootFactor = 10;
const totalCreditBytesMax = 1_048_576;
const unlimited = { perSecond: 0, burst: Number.MAX_SAFE_INTEGER };

/** Outside that window, rates are as the policy says. */
function raised({ perSecond, burst }: ReplyRate, rebootAware: boolean): ReplyRate {
  const factor = rebootAware ? rebootFactor : 1;
  return { perSecond: perSecond * factor, burst: burst * factor };
}

/** All unauthenticated replies of a host pass here: INVALID_*, tokens, COOKIE, ICMP. */
export class ReplyBudget {
  readonly #sources: SourceTable;
  readonly #strangers: RateBucket;
  readonly #known: RateBucket;
  #totalCreditBytes = 0;
  #receivedBytes = 0;
  #sentBytes = 0;
  #sentPackets = 0;
  readonly #refused: Record<BudgetRefusal, number> = {
    'prefix-credit': 0,
    'total-credit': 0,
    'source-rate': 0,
    'total-rate': 0,
  };

  constructor({ sources, salt, at }: ReplyBudgetOptions) {
    this.#sources = new SourceTable(sources, salt, unlimited, at);
    this.#strangers = new RateBucket(unlimited, at);
    this.#known = new RateBucket(unlimited, at);
  }

  /** An unauthenticated packet of this many IP octets came, claiming this source. */
  received(source: IpAddress, ipBytes: number): void {
    const cell = this.#sources.cellOf(source);
    cell.creditBytes = Math.min(creditBytesMax, cell.creditBytes + ipBytes);
    this.#totalCreditBytes = Math.min(totalCreditBytesMax, this.#totalCreditBytes + ipBytes);
    this.#receivedBytes += ipBytes;
  }

  /** IP octets that may go to this address now, for replies whose length can be chosen. */
  creditBytes(destination: IpAddress): number {
    return Math.min(this.#sources.cellOf(destination).creditBytes, this.#totalCreditBytes);
  }

  /** Pays for one reply, or says what forbids it; then nothing was paid. */
  spend(request: ReplyRequest, at: number): BudgetRefusal | undefined {
    const refusal = this.#refusal(request, at);
    if (refusal !== undefined) {
      this.#refused[refusal]++;
      return refusal;
    }
    const cell = this.#sources.cellOf(request.destination);
    cell.creditBytes -= request.ipBytes;
    if (request.policy !== undefined) {
      cell.bucket.take();
      this.#total(request).take();
    }
    this.#totalCreditBytes -= request.ipBytes;
    this.#sentBytes += request.ipBytes;
    this.#sentPackets++;
    return undefined;
  }

  get statistics(): {
    readonly receivedBytes: number;
    readonly sentBytes: number;
    readonly sentPackets: number;
    readonly refused: Readonly<Record<BudgetRefusal, number>>;
  } {
    return {
      receivedBytes: this.#receivedBytes,
      sentBytes: this.#sentBytes,
      sentPackets: this.#sentPackets,
      refused: { ...this.#refused },
    };
  }

  /** Replies that may go out at once now, of how many: what strangers share, and what known peers do. */
  levels(at: number, policy: UnknownSpiPolicy, rebootAware: boolean): Readonly<Record<BudgetShare, Level>> {
    const rate = raised(policy.total, rebootAware);
    const level = (bucket: RateBucket): Level => ({ left: bucket.level(at, rate), limit: rate.burst });
    return { strangers: level(this.#strangers), known: level(this.#known) };
  }

  #total({ known }: ReplyRequest): RateBucket {
    return known ? this.#known : this.#strangers;
  }

  #refusal(request: ReplyRequest, at: number): BudgetRefusal | undefined {
    const { destination, ipBytes, policy } = request;
    const cell = this.#sources.cellOf(destination);
    if (ipBytes > cell.creditBytes) return 'prefix-credit';
    if (ipBytes > this.#totalCreditBytes) return 'total-credit';
    if (policy === undefined) return undefined;
    const { rebootAware } = request;
    if (!cell.bucket.has(at, raised(policy.perSource, rebootAware))) return 'source-rate';
    return this.#total(request).has(at, raised(policy.total, rebootAware)) ? undefined : 'total-rate';
  }
}
