// A NAT in front of one host (RFC 4787): mappings independent of the peer, filtering by peer address and port.
import { type Endpoint, formatEndpoint, type IpAddress } from '#sa';
import type { Prng } from '../prng.ts';
import type { NatScenario } from '../scenario.ts';

interface Mapping {
  readonly inside: Endpoint;
  readonly publicPort: number;
  readonly peers: Set<string>;
  lastUsedAt: number;
}

export class Nat {
  readonly #scenario: NatScenario;
  readonly #prng: Prng;
  readonly #byInside = new Map<string, Mapping>();
  readonly #byPort = new Map<number, Mapping>();
  #addressIndex = 0;

  constructor(scenario: NatScenario, prng: Prng) {
    this.#scenario = scenario;
    this.#prng = prng;
  }

  get address(): IpAddress {
    const { publicAddresses } = this.#scenario;
    return publicAddresses[this.#addressIndex % publicAddresses.length]!;
  }

  /** Whether a datagram to this address comes here, even if it is an address of former times. */
  owns(address: IpAddress): boolean {
    return this.#scenario.publicAddresses.includes(address);
  }

  /** The source that the outside sees. */
  outward(inside: Endpoint, peer: Endpoint, at: number): Endpoint {
    const known = this.#byInside.get(formatEndpoint(inside));
    const mapping = known !== undefined && this.#lives(known, at) ? known : this.#map(inside, at);
    mapping.lastUsedAt = at;
    mapping.peers.add(formatEndpoint(peer));
    return { address: this.address, port: mapping.publicPort };
  }

  /** Who gets what comes in; `undefined`: nobody. */
  inward(outside: Endpoint, peer: Endpoint, at: number): Endpoint | undefined {
    const mapping = outside.address === this.address ? this.#byPort.get(outside.port) : undefined;
    if (mapping === undefined || !this.#lives(mapping, at) || !mapping.peers.has(formatEndpoint(peer))) {
      return undefined;
    }
    return mapping.inside;
  }

  rebind(newAddress: boolean): void {
    this.#byInside.clear();
    this.#byPort.clear();
    if (newAddress) this.#addressIndex++;
  }

  #lives(mapping: Mapping, at: number): boolean {
    return at - mapping.lastUsedAt <= this.#scenario.mappingLifetimeMs;
  }

  #map(inside: Endpoint, at: number): Mapping {
    let publicPort = this.#prng.between(1024, 65_535);
    while (this.#byPort.has(publicPort)) publicPort = this.#prng.between(1024, 65_535);
    const mapping = { inside, publicPort, peers: new Set<string>(), lastUsedAt: at };
    this.#byInside.set(formatEndpoint(inside), mapping);
    this.#byPort.set(publicPort, mapping);
    return mapping;
  }
}
