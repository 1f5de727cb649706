// The peers of a configuration, by what packets and records say of them.
import type { IpAddress } from '#sa';
import type { Hit } from '#wire';
import type { HipConfiguration, HipPeer } from './configuration.ts';

export class ConfiguredPeers {
  readonly #byHit = new Map<Hit, HipPeer>();
  readonly #byName = new Map<string, HipPeer>();
  readonly #addresses = new Set<IpAddress>();
  /** Those that we want to be registered with, by HIT. */
  readonly registrars: ReadonlyMap<Hit, HipPeer>;

  constructor(peers: readonly HipPeer[]) {
    const registrars = new Map<Hit, HipPeer>();
    for (const peer of peers) {
      const { hit, name, addresses, registration } = peer;
      if (hit !== undefined && !this.#byHit.has(hit)) this.#byHit.set(hit, peer);
      if (!this.#byName.has(name)) this.#byName.set(name, peer);
      for (const address of addresses) this.#addresses.add(address);
      if (hit !== undefined && registration !== undefined) registrars.set(hit, peer);
    }
    this.registrars = registrars;
  }

  with(hit: Hit): HipPeer | undefined {
    return this.#byHit.get(hit);
  }

  named(name: string): HipPeer | undefined {
    return this.#byName.get(name);
  }

  /** Whether any of them may be called there. */
  hasAddress(address: IpAddress): boolean {
    return this.#addresses.has(address);
  }
}

/** A configuration is never changed, only replaced. */
const known = new WeakMap<readonly HipPeer[], ConfiguredPeers>();

export function peersOf({ peers }: Pick<HipConfiguration, 'peers'>): ConfiguredPeers {
  const before = known.get(peers);
  if (before !== undefined) return before;
  const made = new ConfiguredPeers(peers);
  known.set(peers, made);
  return made;
}
