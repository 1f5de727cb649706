// Routes where the kernel is the data plane: packets leave as they would to the peer, and the policies do the rest.
import { addressBytes, type IpAddress, isIpv6, type Prefix } from '#sa';
import {
  decodeNextHop,
  encodeDeletedRoute,
  encodeNewRoute,
  encodeRouteQuestion,
  NetlinkFlag,
  RTM_DELROUTE,
  RTM_GETROUTE,
  RTM_NEWROUTE,
} from '#wire';
import {
  changeAddress,
  deviceIndex,
  routeKey,
  type TunnelRoutes,
  Users,
} from '../netlink/network-configuration.ts';
import { NetworkConfigurationError, RoutingTable } from '../netlink/routing-table.ts';

/** Virtual addresses belong to no network. */
const addressDevice = 'lo';

/** Everything set here is removed by `close`, and set anew by the process after one that was killed. */
export class KernelNetwork implements TunnelRoutes {
  readonly #table: RoutingTable;
  readonly #loopback: number;
  readonly #users = new Users<string>();
  /** The device that each route leads to. */
  readonly #devices = new Map<string, { readonly destination: Prefix; readonly deviceIndex: number }>();
  readonly #addresses = new Users<IpAddress>();
  readonly #added = new Set<IpAddress>();

  /** @throws NetworkConfigurationError without the right to change routes */
  constructor(table: number, mark: number) {
    this.#table = new RoutingTable(table, mark);
    try {
      this.#loopback = deviceIndex(this.#table, addressDevice);
    } catch (error) {
      this.#table.close();
      throw error;
    }
    this.#table.ensureRules();
  }

  addRoute(destination: Prefix, source?: () => IpAddress | undefined, peer?: IpAddress): void {
    const key = routeKey(destination);
    if (!this.#users.isFirst(key)) {
      // A trap knows no peer; the SA that it brings up does.
      if (peer === undefined || this.#devices.has(key)) return;
    }
    this.#setRoute(destination, source, peer);
  }

  moveRoute(destination: Prefix, source: () => IpAddress | undefined, peer: IpAddress): void {
    if (this.#users.has(routeKey(destination))) this.#setRoute(destination, source, peer);
  }

  #setRoute(destination: Prefix, source: (() => IpAddress | undefined) | undefined, peer?: IpAddress): void {
    const key = routeKey(destination);
    const nextHop = this.#nextHop(destination, peer);
    if (nextHop === undefined) return;
    this.#table.ensureRule(isIpv6(destination.address) ? 6 : 4);
    const own = source?.();
    const route = {
      destination: addressBytes(destination.address),
      prefixLength: destination.length,
      table: this.#table.number,
      ...nextHop,
      ...(own === undefined ? {} : { source: addressBytes(own) }),
    };
    const flags = NetlinkFlag.CREATE | NetlinkFlag.REPLACE;
    this.#table.ask(`route to ${key}`, RTM_NEWROUTE, flags, encodeNewRoute(route));
    this.#devices.set(key, { destination, deviceIndex: nextHop.deviceIndex });
  }

  removeRoute(destination: Prefix): void {
    const key = routeKey(destination);
    if (this.#users.isLast(key)) this.#deleteRoute(key);
  }

  addAddress(address: IpAddress): void {
    if (!this.#addresses.isFirst(address)) return;
    changeAddress(this.#table, 'add', this.#loopback, address);
    this.#added.add(address);
  }

  removeAddress(address: IpAddress): void {
    if (!this.#addresses.isLast(address)) return;
    this.#added.delete(address);
    changeAddress(this.#table, 'remove', this.#loopback, address);
  }

  close(): void {
    for (const key of [...this.#devices.keys()]) this.#deleteRoute(key);
    for (const address of this.#added) changeAddress(this.#table, 'remove', this.#loopback, address);
    this.#added.clear();
    this.#table.close();
  }

  #deleteRoute(key: string): void {
    const route = this.#devices.get(key);
    if (route === undefined) return;
    this.#devices.delete(key);
    const { destination, deviceIndex } = route;
    const octets = encodeDeletedRoute({
      destination: addressBytes(destination.address),
      prefixLength: destination.length,
      deviceIndex,
      table: this.#table.number,
    });
    this.#table.ask(`route to ${key}`, RTM_DELROUTE, 0, octets);
  }

  /**
   * How our own packets get there: those with our mark do not look into our table. Undefined if the kernel knows no way: then
   * packets of this traffic find none either, unless somebody else sets one.
   */
  #nextHop({ address }: Prefix, peer: IpAddress | undefined): HopTowards | undefined {
    const towards = peer ?? address;
    const question = encodeRouteQuestion(addressBytes(towards), this.#table.mark);
    let answer: Uint8Array | undefined;
    try {
      answer = this.#table.ask(`way to ${towards}`, RTM_GETROUTE, 0, question)[0]?.payload;
    } catch (error) {
      if (!(error instanceof NetworkConfigurationError)) throw error;
      return undefined;
    }
    const { deviceIndex, gateway } = answer === undefined ? {} : decodeNextHop(answer);
    if (deviceIndex === undefined) return undefined;
    // A gateway of the other family says nothing here: the device will do.
    if (isIpv6(towards) !== isIpv6(address)) return { deviceIndex };
    // A peer that is next to us takes what is for the networks behind it, although they are not next to us.
    const via = gateway ?? (peer === undefined ? undefined : addressBytes(peer));
    return via === undefined ? { deviceIndex } : { deviceIndex, gateway: via };
  }
}

interface HopTowards {
  readonly deviceIndex: number;
  readonly gateway?: Uint8Array;
}
