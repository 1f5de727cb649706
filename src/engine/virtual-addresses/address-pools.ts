// Pools of virtual addresses: who holds which (RFC 7296 3.15, swanctl.conf `pools`).
import { addressBytes, addressFromBytes, type IpAddress, isIpv6, type Prefix, prefixRange } from '#sa';
import type { PoolConfiguration } from '../configuration.ts';

function toNumber(address: IpAddress): bigint {
  return addressBytes(address).reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}

function fromNumber(value: bigint, length: number): IpAddress {
  const bytes = new Uint8Array(length);
  for (let i = length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return addressFromBytes(bytes);
}

/** The usable addresses of a pool: of a subnet neither the first nor, for IPv4, the last (strongSwan does the same). */
function usableRange(pool: PoolConfiguration): { first: bigint; last: bigint; length: number } {
  const isPrefix = (value: PoolConfiguration['addresses']): value is Prefix => 'length' in value;
  const { start, end } = isPrefix(pool.addresses) ? prefixRange(pool.addresses) : pool.addresses;
  const length = isIpv6(start) ? 16 : 4;
  let first = toNumber(start);
  let last = toNumber(end);
  if (isPrefix(pool.addresses) && last - first >= 2n) {
    first += 1n;
    if (length === 4) last -= 1n;
  }
  return { first, last, length };
}

/** A pool and who holds what of it. Offline: an address kept for an identity that may come back. */
export interface PoolStatus {
  readonly name: string;
  readonly base: IpAddress;
  readonly size: number;
  readonly online: number;
  readonly offline: number;
  readonly leases: readonly {
    readonly address: IpAddress;
    /** The key of an identity: its type, a colon, and its text or hexadecimal octets; behind `user `, that of a user of EAP. */
    readonly owner: string;
    readonly online: boolean;
  }[];
}

/** Leases of one pool. An identity that comes back gets its old address while it is free. */
class Pool {
  readonly configuration: PoolConfiguration;
  readonly #online: Map<IpAddress, string>;
  readonly #offline = new Map<string, IpAddress>();
  /** Given once, and nobody's now. */
  readonly #returned = new Set<IpAddress>();
  readonly #range: { first: bigint; last: bigint; length: number };
  #next: bigint;

  /**
   * @param online what peers hold, of all pools, also of those that a reload took away
   * @param former the pool that this one replaces
   */
  constructor(configuration: PoolConfiguration, online: Map<IpAddress, string>, former: Pool | undefined) {
    this.configuration = configuration;
    this.#online = online;
    this.#range = usableRange(configuration);
    this.#next = this.#range.first;
    const kept = former === undefined ? [] : former.#offline;
    for (const [owner, address] of kept) {
      if (this.contains(address)) this.#offline.set(owner, address);
    }
  }

  get family(): 4 | 6 {
    return this.#range.length === 4 ? 4 : 6;
  }

  get size(): bigint {
    return this.#range.last - this.#range.first + 1n;
  }

  status(): PoolStatus {
    const online = [...this.#online]
      .filter(([address]) => this.contains(address))
      .map(([address, owner]) => ({ address, owner, online: true }));
    const offline = [...this.#offline].map(([owner, address]) => ({ address, owner, online: false }));
    const { addresses } = this.configuration;
    return {
      name: this.configuration.name,
      base: 'length' in addresses ? addresses.address : addresses.start,
      size: Number(this.size),
      online: online.length,
      offline: offline.length,
      leases: [...online, ...offline],
    };
  }

  contains(address: IpAddress): boolean {
    if (isIpv6(address) !== (this.#range.length === 16)) return false;
    const value = toNumber(address);
    return value >= this.#range.first && value <= this.#range.last;
  }

  /** Which address `owner` gets: the one it asks for, else its last one, else a free one, else somebody's old one. */
  lease(owner: string, wanted: IpAddress | undefined): IpAddress | undefined {
    const free = (address: IpAddress | undefined): address is IpAddress =>
      address !== undefined && this.contains(address) && !this.#online.has(address);
    const reserved = new Set(this.#offline.values());
    const previous = this.#offline.get(owner);
    let address: IpAddress | undefined;
    if (free(wanted) && (wanted === previous || !reserved.has(wanted))) address = wanted;
    else if (free(previous)) address = previous;
    else address = this.#fresh(reserved) ?? this.#reclaim();
    if (address === undefined) return undefined;
    this.#offline.delete(owner);
    if (previous !== undefined && previous !== address) this.#returned.add(previous);
    this.#returned.delete(address);
    this.#online.set(address, owner);
    return address;
  }

  #fresh(reserved: ReadonlySet<IpAddress>): IpAddress | undefined {
    while (this.#next <= this.#range.last) {
      const address = fromNumber(this.#next++, this.#range.length);
      if (!this.#online.has(address) && !reserved.has(address)) return address;
    }
    for (const address of this.#returned) if (!this.#online.has(address)) return address;
    return undefined;
  }

  #reclaim(): IpAddress | undefined {
    for (const [owner, address] of this.#offline) {
      if (this.#online.has(address)) continue;
      this.#offline.delete(owner);
      return address;
    }
    return undefined;
  }

  /** Nobody holds it any more; it is kept for who did. */
  keep(owner: string, address: IpAddress): void {
    const previous = this.#offline.get(owner);
    if (previous !== undefined) this.#returned.add(previous);
    this.#offline.delete(owner);
    this.#offline.set(owner, address);
  }
}

/** What a peer was given. */
export interface PoolLease {
  readonly addresses: readonly IpAddress[];
  readonly dns: readonly IpAddress[];
  readonly nbns: readonly IpAddress[];
  readonly subnets: readonly Prefix[];
}

/** All pools of a host. */
export class AddressPools {
  readonly #pools = new Map<string, Pool>();
  readonly #online = new Map<IpAddress, string>();

  /** Takes a new configuration. What peers hold stays theirs. */
  configure(configurations: readonly PoolConfiguration[]): void {
    const kept = new Map<string, Pool>();
    for (const configuration of configurations) {
      const known = this.#pools.get(configuration.name);
      const same =
        known !== undefined && JSON.stringify(known.configuration) === JSON.stringify(configuration);
      kept.set(configuration.name, same ? known : new Pool(configuration, this.#online, known));
    }
    this.#pools.clear();
    for (const [name, pool] of kept) this.#pools.set(name, pool);
  }

  /**
   * One address per requested family, from the first pool that has one: a client may ask for many (RFC 7296 3.15.1), and
   * would leave none for the others.
   * @param requested an unspecified address asks for any of its family; none at all asks for nothing
   */
  lease(names: readonly string[], owner: string, requested: readonly IpAddress[]): PoolLease | undefined {
    const pools = names.flatMap((name) => this.#pools.get(name) ?? []);
    const addresses: IpAddress[] = [];
    const asked = new Set<number>();
    for (const wanted of requested) {
      const family = isIpv6(wanted) ? 6 : 4;
      // One of each: where the first wish finds no room no other one does, and a peer may have hundreds.
      if (asked.has(family)) continue;
      asked.add(family);
      const unspecified = wanted === '::' || wanted === '0.0.0.0';
      for (const pool of pools) {
        if (pool.family !== family) continue;
        const address = pool.lease(owner, unspecified ? undefined : wanted);
        if (address === undefined) continue;
        addresses.push(address);
        break;
      }
    }
    if (addresses.length === 0) return undefined;
    return {
      addresses,
      dns: pools.flatMap((pool) => pool.configuration.dns),
      nbns: pools.flatMap((pool) => pool.configuration.nbns),
      subnets: pools.flatMap((pool) => pool.configuration.subnets),
    };
  }

  release(addresses: readonly IpAddress[]): void {
    for (const address of addresses) {
      const owner = this.#online.get(address);
      if (owner === undefined) continue;
      this.#online.delete(address);
      for (const pool of this.#pools.values()) if (pool.contains(address)) pool.keep(owner, address);
    }
  }

  status(): readonly PoolStatus[] {
    return [...this.#pools.values()].map((pool) => pool.status());
  }
}
