// What the kernel knows of HIP: our HITs and LSI are addresses of the device, and those of our peers are routed to it.
import { type HipConfiguration, lsiTableOf } from '#hip';
import type { TunNetwork } from '#linux';
import { hitAddress, type IpAddress, isIpv6, type Prefix, parseAddress } from '#sa';

/** ORCHIDs of version 2 (RFC 7343 2): none of them is anywhere on the Internet. */
const orchids: Prefix = { address: parseAddress('2001:20::')!, length: 28 };
/** An IPv6 header instead of one of IPv4. */
const lsiGrowthBytes = 20;

interface Route {
  readonly destination: Prefix;
  readonly source: IpAddress;
  readonly mtuBytes?: number;
}

function routeKey({ destination, source, mtuBytes }: Route): string {
  return `${destination.address}/${destination.length} ${source} ${mtuBytes ?? ''}`;
}

function host(address: IpAddress): Prefix {
  return { address, length: isIpv6(address) ? 128 : 32 };
}

type HipDevice = Pick<TunNetwork, 'addAddress' | 'removeAddress' | 'addRoute' | 'removeRoute' | 'mtuBytes'>;

/** Follows the configuration. */
export class HipNetwork {
  readonly #network: HipDevice;
  #addresses: ReadonlySet<IpAddress> = new Set();
  #routes: ReadonlyMap<string, Route> = new Map();

  constructor(network: HipDevice) {
    this.#network = network;
  }

  /** @throws NetworkConfigurationError */
  load(configuration: HipConfiguration | undefined): void {
    const { addresses, routes } = this.#wanted(configuration);
    for (const [key, { destination }] of this.#routes)
      if (!routes.has(key)) this.#network.removeRoute(destination);
    for (const one of this.#addresses) if (!addresses.has(one)) this.#network.removeAddress(one);
    for (const one of addresses) if (!this.#addresses.has(one)) this.#network.addAddress(one);
    for (const [key, { destination, source, mtuBytes }] of routes)
      if (!this.#routes.has(key)) this.#network.addRoute(destination, () => source, undefined, mtuBytes);
    this.#addresses = addresses;
    this.#routes = routes;
  }

  #wanted(configuration: HipConfiguration | undefined): {
    readonly addresses: ReadonlySet<IpAddress>;
    readonly routes: ReadonlyMap<string, Route>;
  } {
    const own = configuration?.identities.map(({ identity }) => hitAddress(identity.hit)) ?? [];
    const [first] = own;
    if (configuration === undefined || first === undefined)
      return { addresses: new Set(), routes: new Map() };
    const lsis = lsiTableOf(configuration);
    const routes: Route[] = [{ destination: orchids, source: first }];
    for (const { lsi, localHit, remoteHit } of lsis.peers) {
      routes.push({
        destination: host(lsi),
        source: lsis.own,
        mtuBytes: this.#network.mtuBytes - lsiGrowthBytes,
      });
      if (localHit !== first) routes.push({ destination: host(remoteHit), source: localHit });
    }
    return {
      // Of 1.0.0.0/8 only what stands for a peer is ours: the rest is on the Internet.
      addresses: new Set([...own, ...(lsis.peers.length > 0 ? [lsis.own] : [])]),
      routes: new Map(routes.map((route) => [routeKey(route), route])),
    };
  }
}
