// Routes where the kernel is the data plane: packets leave as they would to the peer, and the policies do the rest.
import { addressBytes, type IpAddress, isIpv6, type Prefix } from '#sa';
import {
  type DeviceRoute,
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
  restoreAddresses,
  routeKey,
  type TunnelRoutes,
  Users,
} from '../netlink/network-configuration.ts';
import { NetworkConfigurationError, RoutingTable } from '../netlink/routing-table.ts';

/** Virtual addresses belong to no network. */
const addressDevice = 'lo';

/** What traffic for a destination needs. */
interface WantedRoute {
  readonly destination: Prefix;
  readonly source: (() => IpAddress | undefined) | undefined;
  readonly peer: IpAddress | undefined;
  /** As it was set. Absent: the kernel knew no way. */
  readonly set?: DeviceRoute;
}

/** Everything set here is removed by `close`, and set anew by the process after one that was killed. */
export class KernelNetwork implements TunnelRoutes {
  readonly #table: RoutingTable;
  readonly #loopback: number;
  readonly #users = new Users<string>();
  readonly #routes = new Map<string, WantedRoute>();
  readonly #addresses = new Users<IpAddress>();

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
      if (peer === undefined || this.#routes.get(key)?.set !== undefined) return;
    }
    this.#setRoute({ destination, source, peer });
  }

  moveRoute(destination: Prefix, source: () => IpAddress | undefined, peer: IpAddress): void {
    if (this.#users.has(routeKey(destination))) this.#setRoute({ destination, source, peer });
  }

  #setRoute(wanted: WantedRoute): void {
    const { destination, source, peer } = wanted;
    const key = routeKey(destination);
    const before = this.#routes.get(key)?.set;
    this.#routes.set(key, before === undefined ? wanted : { ...wanted, set: before });
    const nextHop = this.#nextHop(destination, peer);
    if (nextHop === undefined) return;
    this.#table.ensureRule(isIpv6(destination.address) ? 6 : 4);
    const own = source?.();
    const set = {
      destination: addressBytes(destination.address),
      prefixLength: destination.length,
      table: this.#table.number,
      ...nextHop,
      ...(own === undefined ? {} : { source: addressBytes(own) }),
    };
    const flags = NetlinkFlag.CREATE | NetlinkFlag.REPLACE;
    this.#table.ask(`route to ${key}`, RTM_NEWROUTE, flags, encodeNewRoute(set));
    this.#routes.set(key, { ...wanted, set });
  }

  removeRoute(destination: Prefix): void {
    const key = routeKey(destination);
    if (this.#users.isLast(key)) this.#deleteRoute(key);
  }

  addAddress(address: IpAddress): void {
    if (this.#addresses.isFirst(address)) changeAddress(this.#table, 'add', this.#loopback, address);
  }

  removeAddress(address: IpAddress): void {
    if (this.#addresses.isLast(address)) changeAddress(this.#table, 'remove', this.#loopback, address);
  }

  *restore(): Iterable<void> {
    yield* restoreAddresses(this.#table, this.#loopback, this.#addresses.keys());
    for (const [key, wanted] of this.#routes) {
      yield;
      const { set } = wanted;
      if (set !== undefined && this.#isThere(key, set)) continue;
      try {
        this.#setRoute(wanted);
      } catch (error) {
        // Until the next change.
        if (!(error instanceof NetworkConfigurationError)) throw error;
      }
    }
  }

  /** One that was made anew has to be looked at: its way may be another one by now. */
  #isThere(key: string, set: DeviceRoute): boolean {
    return this.#table.restore(`route to ${key}`, RTM_NEWROUTE, encodeNewRoute(set)) === 'was there';
  }

  close(): void {
    const removals = [
      ...[...this.#routes.keys()].map((key) => () => this.#deleteRoute(key)),
      ...[...this.#addresses.keys()].map(
        (address) => () => changeAddress(this.#table, 'remove', this.#loopback, address),
      ),
    ];
    for (const remove of removals) {
      try {
        remove();
      } catch (error) {
        // All the others still go.
        if (!(error instanceof NetworkConfigurationError)) throw error;
      }
    }
    this.#table.close();
  }

  #deleteRoute(key: string): void {
    const set = this.#routes.get(key)?.set;
    this.#routes.delete(key);
    if (set === undefined) return;
    const { destination, prefixLength, deviceIndex, table } = set;
    const octets = encodeDeletedRoute({ destination, prefixLength, deviceIndex, table });
    this.#table.remove(`route to ${key}`, RTM_DELROUTE, octets);
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
