// Addresses, routes and rules for tunnels. What the kernel is asked here it does at once, in microseconds: a process of
// iproute2 for each of them took more of an outage than all messages of IKE.
import { addressBytes, type IpAddress, isIpv6, type Prefix } from '#sa';
import {
  type DeviceRoute,
  decodeLinkIndex,
  encodeDeletedRoute,
  encodeHostAddress,
  encodeLinkQuestion,
  encodeLinkUp,
  encodeNewRoute,
  encodeRouteQuestion,
  leadsHere,
  NetlinkFlag,
  RTM_DELADDR,
  RTM_DELROUTE,
  RTM_GETLINK,
  RTM_GETROUTE,
  RTM_NEWADDR,
  RTM_NEWROUTE,
  RTM_SETLINK,
} from '#wire';
import { NetworkConfigurationError, RoutingTable } from './routing-table.ts';

const replace = NetlinkFlag.CREATE | NetlinkFlag.REPLACE;

/** What leads traffic to a data plane. Everything is counted: what is added twice is removed by the second removal. */
export interface TunnelRoutes {
  /**
   * Sends packets for `destination` into the tunnel, from `source` if there is one of our addresses; it is asked only if the route is new.
   * @param peer the other end of the tunnel, if it is known
   */
  addRoute(destination: Prefix, source?: () => IpAddress | undefined, peer?: IpAddress): void;
  /** The peer is elsewhere, or we are: packets that are sent as if to it have another way. Without effect on a route that is not set. */
  moveRoute(destination: Prefix, source: () => IpAddress | undefined, peer: IpAddress): void;
  removeRoute(destination: Prefix): void;
  /** A virtual address that a peer gave us. */
  addAddress(address: IpAddress): void;
  removeAddress(address: IpAddress): void;
  /**
   * What the kernel has taken away meanwhile, with a device or an address that went, is set anew, as far as that can be now: to be
   * called after each change of devices, addresses and routes. Only what is made anew is one itself. There may be thousands: it
   * yields after each.
   */
  restore(): Iterable<void>;
  close(): void;
}

/** The number of a device. @throws NetworkConfigurationError if there is none */
export function deviceIndex(table: RoutingTable, device: string): number {
  const [answer] = table.ask(`device ${device}`, RTM_GETLINK, 0, encodeLinkQuestion(device));
  if (answer === undefined) throw new Error(`the kernel does not tell about device ${device}`);
  return decodeLinkIndex(answer.payload);
}

/**
 * The kernel confirms an address of IPv6 before it delivers packets to it, which a worker of its own prepares: mostly within a
 * millisecond, on a busy machine later, and never while the device is down.
 */
const deliveryMsMax = 200;

/** Adds an address without a network around it to a device, or removes it. @throws NetworkConfigurationError */
export function changeAddress(
  table: RoutingTable,
  change: 'add' | 'remove',
  deviceIndex: number,
  address: IpAddress,
): void {
  const octets = encodeHostAddress(deviceIndex, addressBytes(address));
  if (change === 'remove') {
    table.remove(`address ${address}`, RTM_DELADDR, octets);
    return;
  }
  table.ask(`address ${address}`, RTM_NEWADDR, replace, octets);
  if (isIpv6(address)) awaitDelivery(table, address);
}

/** Adds addresses that are to be there, unless they are. */
export function* restoreAddresses(
  table: RoutingTable,
  deviceIndex: number,
  addresses: Iterable<IpAddress>,
): Iterable<void> {
  for (const address of addresses) {
    table.restore(`address ${address}`, RTM_NEWADDR, encodeHostAddress(deviceIndex, addressBytes(address)));
    yield;
  }
}

function awaitDelivery(table: RoutingTable, address: IpAddress): void {
  const nap = new Int32Array(new SharedArrayBuffer(4));
  for (let ms = 0; ms < deliveryMsMax && !isDelivered(table, address); ms++) Atomics.wait(nap, 0, 0, 1);
}

/** Whether the kernel takes packets to an address for those of this machine. */
export function isDelivered(table: RoutingTable, address: IpAddress): boolean {
  try {
    const question = encodeRouteQuestion(addressBytes(address), table.mark);
    const [answer] = table.ask(`route to ${address}`, RTM_GETROUTE, 0, question);
    return answer !== undefined && leadsHere(answer.payload);
  } catch (error) {
    // A packet to it would go nowhere.
    if (error instanceof NetworkConfigurationError) return false;
    throw error;
  }
}

/** Counts users of a thing: whether the first one came, or the last one left. */
export class Users<Key> {
  readonly #counts = new Map<Key, number>();

  has(key: Key): boolean {
    return this.#counts.has(key);
  }

  keys(): IterableIterator<Key> {
    return this.#counts.keys();
  }

  isFirst(key: Key): boolean {
    const users = this.#counts.get(key) ?? 0;
    this.#counts.set(key, users + 1);
    return users === 0;
  }

  isLast(key: Key): boolean {
    const users = this.#counts.get(key) ?? 0;
    if (users > 1) {
      this.#counts.set(key, users - 1);
      return false;
    }
    return this.#counts.delete(key);
  }
}

/** What a TUN device of ours carries. Everything set here disappears with `close` or with the device. */
export class TunNetwork implements TunnelRoutes {
  readonly #index: number;
  readonly #table: RoutingTable;
  readonly #users = new Users<string>();
  /** As they were set. */
  readonly #routes = new Map<string, DeviceRoute>();
  readonly #addresses = new Users<IpAddress>();
  /** Of the device. */
  readonly mtuBytes: number;

  /**
   * Brings the device up and makes the rules, so that a route is all that a tunnel still needs.
   * @param table number of a routing table of our own, looked at before the main one
   * @param mark packets with this mark are ours and skip the table, so that no tunnel swallows its own packets
   * @throws NetworkConfigurationError without the device, or without the right to change it
   */
  constructor(device: string, table: number, mark: number, mtuBytes: number) {
    this.#table = new RoutingTable(table, mark);
    this.mtuBytes = mtuBytes;
    try {
      this.#index = deviceIndex(this.#table, device);
      this.#table.ask(`device ${device}`, RTM_SETLINK, 0, encodeLinkUp(this.#index, mtuBytes));
    } catch (error) {
      this.#table.close();
      throw error;
    }
    this.#table.ensureRules();
  }

  /**
   * Sends packets for `destination` into the tunnel, from `source` if there is one of our addresses.
   * @param mtuBytes if it is less than that of the device
   */
  addRoute(
    destination: Prefix,
    source?: () => IpAddress | undefined,
    _peer?: IpAddress,
    mtuBytes?: number,
  ): void {
    const key = routeKey(destination);
    if (!this.#users.isFirst(key)) return;
    this.#table.ensureRule(isIpv6(destination.address) ? 6 : 4);
    const own = source?.();
    const route = {
      ...this.#route(destination),
      ...(own === undefined ? {} : { source: addressBytes(own) }),
      ...(mtuBytes === undefined ? {} : { mtuBytes }),
    };
    this.#routes.set(key, route);
    this.#table.ask(`route to ${key}`, RTM_NEWROUTE, replace, encodeNewRoute(route));
  }

  /** A device that is set down loses its routes, and its IPv6 addresses. */
  *restore(): Iterable<void> {
    yield* restoreAddresses(this.#table, this.#index, this.#addresses.keys());
    for (const [key, route] of this.#routes) {
      this.#table.restore(`route to ${key}`, RTM_NEWROUTE, encodeNewRoute(route));
      yield;
    }
  }

  /** Into our device packets go wherever the peer is. */
  moveRoute(): void {}

  removeRoute(destination: Prefix): void {
    const key = routeKey(destination);
    if (!this.#users.isLast(key)) return;
    this.#routes.delete(key);
    this.#table.remove(`route to ${key}`, RTM_DELROUTE, encodeDeletedRoute(this.#route(destination)));
  }

  addAddress(address: IpAddress): void {
    if (this.#addresses.isFirst(address)) changeAddress(this.#table, 'add', this.#index, address);
  }

  removeAddress(address: IpAddress): void {
    if (this.#addresses.isLast(address)) changeAddress(this.#table, 'remove', this.#index, address);
  }

  /** Removes the rules; routes and addresses go with the device. */
  close(): void {
    this.#table.close();
  }

  #route({ address, length }: Prefix): DeviceRoute {
    return {
      destination: addressBytes(address),
      prefixLength: length,
      deviceIndex: this.#index,
      table: this.#table.number,
    };
  }
}

export function routeKey({ address, length }: Prefix): string {
  return `${address}/${length}`;
}
