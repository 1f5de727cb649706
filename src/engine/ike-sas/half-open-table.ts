// Half-open IKE SAs: how many strangers make us hold, and when a COOKIE is demanded (RFC 7296 2.6).
import type { IpAddress } from '#sa';
import { addressBytes, addressFromBytes, isIpv6 } from '#sa';
import type { HalfOpenLimits } from '../configuration.ts';

/** What an IKE_SA_INIT request is met with. */
export type Admission = 'accept' | 'demand-cookie' | 'drop';

/** One peer controls a whole IPv6 /64, so that is what is counted; an IPv4 address counts by itself. */
export function sourcePrefix(address: IpAddress): string {
  if (!isIpv6(address)) return address;
  const bytes = addressBytes(address);
  bytes.fill(0, 8);
  return `${addressFromBytes(bytes)}/64`;
}

/** One source has at most a half of all: hosts behind a NAT are many at times, and others are to have some too. */
const partOfSource = 0.5;

/** Counts half-open IKE SAs in all and per source. */
export class HalfOpenTable {
  readonly #perSource = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** @param cookieValid whether the request returned a COOKIE of ours, which proves its source address */
  admit(source: IpAddress, cookieValid: boolean, limits: HalfOpenLimits): Admission {
    const { cookieThreshold, cookieThresholdPerSource, halfOpenMax } = limits;
    if (this.#total >= halfOpenMax) return 'drop';
    const ofSource = this.#perSource.get(sourcePrefix(source)) ?? 0;
    // A cookie proves where somebody is, and not that he means well.
    const share = Math.max(cookieThresholdPerSource, Math.floor(halfOpenMax * partOfSource));
    if (cookieValid) return ofSource < share ? 'accept' : 'drop';
    if (this.#total >= cookieThreshold) return 'demand-cookie';
    return ofSource >= cookieThresholdPerSource ? 'demand-cookie' : 'accept';
  }

  add(source: IpAddress): void {
    const key = sourcePrefix(source);
    this.#perSource.set(key, (this.#perSource.get(key) ?? 0) + 1);
    this.#total++;
  }

  remove(source: IpAddress): void {
    const key = sourcePrefix(source);
    const count = this.#perSource.get(key) ?? 0;
    if (count === 0) throw new Error(`no half-open IKE SA of ${source} was counted`);
    if (count === 1) this.#perSource.delete(key);
    else this.#perSource.set(key, count - 1);
    this.#total--;
  }
}
