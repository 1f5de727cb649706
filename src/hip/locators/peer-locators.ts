// Where a peer says it can be reached, and what we know of each of these addresses (RFC 8046 5.1, 5.3, RFC 8047 5.2).
import type { IpAddress } from '#sa';
import type { HipPath } from '../interface.ts';

/** RFC 8046 5.1 */
export type LocatorState = 'UNVERIFIED' | 'ACTIVE' | 'DEPRECATED';

/** RFC 8046 6.2.2: a peer may not fill our memory with addresses. */
export const peerLocatorsMax = 8;

/** What a LOCATOR_SET says of one address. */
export interface ToldLocator {
  readonly address: IpAddress;
  readonly preferred: boolean;
  /** Infinite: for good. */
  readonly lifetimeMs: number;
}

export interface PeerLocator {
  readonly address: IpAddress;
  state: LocatorState;
  preferred: boolean;
  until: number;
  /** UNVERIFIED: when it is asked next, and how often it was asked in vain. */
  askAt: number;
  failures: number;
  /** The way by which it answered last. */
  path: HipPath | undefined;
}

export class PeerLocators {
  #all: PeerLocator[];

  /** RFC 8046 5.1: the address of the base exchange is preferred, ACTIVE, and so for good. */
  constructor(first: IpAddress) {
    const state = 'ACTIVE';
    const until = Number.POSITIVE_INFINITY;
    this.#all = [{ address: first, state, preferred: true, until, askAt: 0, failures: 0, path: undefined }];
  }

  get all(): readonly PeerLocator[] {
    return this.#all;
  }

  /** The one address of the base exchange, and nothing else was ever said. */
  get isSettled(): boolean {
    const [only, ...more] = this.#all;
    return more.length === 0 && only?.state === 'ACTIVE' && only.until === Number.POSITIVE_INFINITY;
  }

  find(address: IpAddress): PeerLocator | undefined {
    return this.#all.find((one) => one.address === address);
  }

  /**
   * RFC 8046 5.3: the set takes the place of the one before. What it leaves out is DEPRECATED, and forgotten unless it is in
   * use.
   */
  take(told: readonly ToldLocator[], inUse: IpAddress, at: number): void {
    const all: PeerLocator[] = [];
    for (const { address, preferred, lifetimeMs } of told) {
      if (all.length >= peerLocatorsMax || all.some((one) => one.address === address)) continue;
      const known = this.find(address);
      const until = at + lifetimeMs;
      if (known === undefined) {
        const state = 'UNVERIFIED';
        all.push({ address, state, preferred, until, askAt: at, failures: 0, path: undefined });
        continue;
      }
      Object.assign(known, { preferred, until });
      if (known.state === 'DEPRECATED') {
        known.state = 'UNVERIFIED';
        known.askAt = at;
      }
      all.push(known);
    }
    const current = this.find(inUse);
    if (current !== undefined && !all.includes(current)) {
      deprecate(current);
      all.push(current);
    }
    this.#all = all;
  }

  /** A NAT shows the peer at another address, where it has answered: that takes the place of the one before. */
  replace(before: IpAddress, after: IpAddress): void {
    const left = this.find(before);
    const others = this.#all.filter((one) => one.address !== before && one.address !== after);
    const { preferred = true, until = Number.POSITIVE_INFINITY } = left ?? {};
    const found: PeerLocator = {
      address: after,
      state: 'ACTIVE',
      preferred,
      until,
      askAt: 0,
      failures: 0,
      path: undefined,
    };
    this.#all = [found, ...others];
  }

  /** Addresses whose lifetime is over are DEPRECATED. @returns those of which that is news */
  expire(at: number): readonly PeerLocator[] {
    const over = this.#all.filter((one) => one.state !== 'DEPRECATED' && at >= one.until);
    for (const one of over) deprecate(one);
    return over;
  }

  /** What is DEPRECATED is remembered only while nothing else is in use. */
  leave(inUse: IpAddress): void {
    this.#all = this.#all.filter((one) => one.state !== 'DEPRECATED' || one.address === inUse);
  }

  /**
   * The address to send to (RFC 8046 5.5, 5.6.1): what the peer prefers, if it answers there; else what answers.
   * @param usesCredit whether anything may be sent to what has not answered
   */
  choose(inUse: IpAddress, usesCredit: boolean): PeerLocator | undefined {
    const current = this.find(inUse);
    const usable = this.#all.filter(({ state }) => state !== 'DEPRECATED');
    const preferred = usable.find((one) => one.preferred);
    const active = usable.filter(({ state }) => state === 'ACTIVE');
    if (preferred?.state === 'ACTIVE') return preferred;
    if (active.length > 0) return active.find((one) => one === current) ?? active[0];
    if (!usesCredit) return current;
    // Nothing answers yet: what goes there is bounded by credit.
    return preferred ?? (current !== undefined && usable.includes(current) ? current : usable[0]) ?? current;
  }

  /** @param asks whether those that are UNVERIFIED are asked */
  deadlines(asks: boolean): number[] {
    return this.#all.flatMap(({ state, until, askAt }) => {
      if (state === 'DEPRECATED') return [];
      return state === 'UNVERIFIED' && asks ? [until, askAt] : [until];
    });
  }
}

function deprecate(locator: PeerLocator): void {
  locator.state = 'DEPRECATED';
  locator.preferred = false;
}
