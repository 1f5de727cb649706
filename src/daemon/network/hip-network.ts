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
  readonly peer?: IpAddress | undefined;
  readonly mtuBytes?: number;
}

function routeKey({ destination, source, peer, mtuBytes }: Route): string {
  return `${destination.address}/${destination.length} ${source} ${peer ?? ''} ${mtuBytes ?? ''}`;
}

function host(address: IpAddress): Prefix {
  return { address, length: isIpv6(address) ? 128 : 32 };
}

interface HipDevice extends Pick<TunNetwork, 'addAddress' | 'removeAddress' | 'addRoute' | 'removeRoute'> {
  /** Of a device of ours. */
  readonly mtuBytes?: number;
}

/** Follows the configuration. */
export class HipNetwork {
  readonly #network: HipDevice;
  readonly #translates: boolean;
  readonly #addresses = new Set<IpAddress>();
  readonly #routes = new Map<string, Route>();

  /** @param translates whether somebody makes IPv6 of what goes to an LSI */
  constructor(network: HipDevice, translates: boolean) {
    this.#network = network;
    this.#translates = translates;
  }

  /**
   * What the kernel refuses keeps nothing else from it, and counts as done: it is restored after a change of devices or addresses.
   * @throws NetworkConfigurationError of the first refusal
   */
  load(configuration: HipConfiguration | undefined): void {
    const { addresses, routes } = this.#wanted(configuration);
    const refusals: unknown[] = [];
    const attempt = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        refusals.push(error);
      }
    };
    for (const [key, { destination }] of this.#routes)
      if (!routes.has(key))
        attempt(() => {
          this.#routes.delete(key);
          this.#network.removeRoute(destination);
        });
    for (const one of this.#addresses)
      if (!addresses.has(one))
        attempt(() => {
          this.#addresses.delete(one);
          this.#network.removeAddress(one);
        });
    for (const one of addresses)
      if (!this.#addresses.has(one))
        attempt(() => {
          this.#addresses.add(one);
          this.#network.addAddress(one);
        });
    for (const [key, route] of routes)
      if (!this.#routes.has(key))
        attempt(() => {
          this.#routes.set(key, route);
          const { destination, source, peer, mtuBytes } = route;
          this.#network.addRoute(destination, () => source, peer, mtuBytes);
        });
    if (refusals.length > 0) throw refusals[0];
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
    // Where there is no device of ours, a packet needs any way out until a policy gives it an outer address.
    const peer = configuration.peers.flatMap(({ addresses }) => addresses)[0];
    const routes: Route[] = [{ destination: orchids, source: first, peer }];
    for (const { lsi, localHit, remoteHit } of lsis.peers) {
      if (this.#translates) {
        const mtuBytes = (this.#network.mtuBytes ?? 0) - lsiGrowthBytes;
        routes.push({ destination: host(lsi), source: lsis.own, mtuBytes });
      }
      if (localHit !== first) routes.push({ destination: host(remoteHit), source: localHit, peer });
    }
    return {
      // Of 1.0.0.0/8 only what stands for a peer is ours: the rest is on the Internet.
      addresses: new Set([...own, ...(this.#translates && lsis.peers.length > 0 ? [lsis.own] : [])]),
      routes: new Map(routes.map((route) => [routeKey(route), route])),
    };
  }
}
