// Addresses, routes and rules for tunnels. What the kernel is asked here it does at once, in microseconds: a process of
// iproute2 for each of them took more of an outage than all messages of IKE.
import { addressBytes, type IpAddress, isIpv6, type Prefix } from '#sa';
import {
  decodeLinkIndex,
  encodeDeletedRoute,
  encodeHostAddress,
  encodeLinkQuestion,
  encodeLinkUp,
  encodeNewRoute,
  encodeRule,
  NetlinkFlag,
  RTM_DELADDR,
  RTM_DELROUTE,
  RTM_DELRULE,
  RTM_GETLINK,
  RTM_NEWADDR,
  RTM_NEWROUTE,
  RTM_NEWRULE,
  RTM_SETLINK,
} from '#wire';
import { NETLINK_ROUTE } from './constants.ts';
import { SystemCallError } from './errno.ts';
import { NetlinkSocket } from './netlink-socket.ts';

/** The kernel refused a device, an address, a route or a rule. */
export class NetworkConfigurationError extends Error {
  readonly code = 'network-configuration' as const;

  /** @param what for example `route to 192.0.2.0/24` */
  constructor(what: string, cause: SystemCallError) {
    super(`${what}: ${cause.code}${cause.detail === undefined ? '' : ` (${cause.detail})`}`, { cause });
    this.name = 'NetworkConfigurationError';
  }
}

const replace = NetlinkFlag.CREATE | NetlinkFlag.REPLACE;

/** What a TUN device of ours carries. Everything set here disappears with `close` or with the device. */
export class TunNetwork {
  readonly #device: string;
  readonly #index: number;
  readonly #table: number;
  readonly #mark: number;
  readonly #socket: NetlinkSocket;
  readonly #routes = new Map<string, number>();
  readonly #addresses = new Map<IpAddress, number>();
  readonly #versions = new Set<4 | 6>();

  /**
   * Brings the device up and makes the rules, so that a route is all that a tunnel still needs.
   * @param table number of a routing table of our own, looked at before the main one
   * @param mark packets with this mark are ours and skip the table, so that no tunnel swallows its own packets
   * @throws NetworkConfigurationError without the device, or without the right to change it
   */
  constructor(device: string, table: number, mark: number, mtuBytes: number) {
    this.#device = device;
    this.#table = table;
    this.#mark = mark;
    this.#socket = new NetlinkSocket(NETLINK_ROUTE);
    try {
      this.#index = this.#findDevice();
      this.#change(`device ${device}`, RTM_SETLINK, 0, encodeLinkUp(this.#index, mtuBytes));
    } catch (error) {
      this.#socket.close();
      throw error;
    }
    for (const version of [4, 6] as const) {
      try {
        this.#ensureRule(version);
      } catch (error) {
        // A machine may lack a family. Its first route tells.
        if (!(error instanceof NetworkConfigurationError)) throw error;
      }
    }
  }

  /** Sends packets for `destination` into the tunnel, from `source` if that is one of our addresses. */
  addRoute(destination: Prefix, source?: IpAddress): void {
    const key = routeKey(destination);
    const users = this.#routes.get(key) ?? 0;
    this.#routes.set(key, users + 1);
    if (users > 0) return;
    this.#ensureRule(isIpv6(destination.address) ? 6 : 4);
    const route = {
      ...this.#route(destination),
      ...(source === undefined ? {} : { source: addressBytes(source) }),
    };
    this.#change(`route to ${key}`, RTM_NEWROUTE, replace, encodeNewRoute(route));
  }

  removeRoute(destination: Prefix): void {
    const key = routeKey(destination);
    const users = this.#routes.get(key) ?? 0;
    if (users > 1) {
      this.#routes.set(key, users - 1);
      return;
    }
    if (!this.#routes.delete(key)) return;
    this.#change(`route to ${key}`, RTM_DELROUTE, 0, encodeDeletedRoute(this.#route(destination)));
  }

  /** A virtual address that a peer gave us. */
  addAddress(address: IpAddress): void {
    const users = this.#addresses.get(address) ?? 0;
    this.#addresses.set(address, users + 1);
    if (users > 0) return;
    const octets = encodeHostAddress(this.#index, addressBytes(address));
    this.#change(`address ${address}`, RTM_NEWADDR, replace, octets);
  }

  removeAddress(address: IpAddress): void {
    const users = this.#addresses.get(address) ?? 0;
    if (users > 1) {
      this.#addresses.set(address, users - 1);
      return;
    }
    if (!this.#addresses.delete(address)) return;
    const octets = encodeHostAddress(this.#index, addressBytes(address));
    this.#change(`address ${address}`, RTM_DELADDR, 0, octets);
  }

  /** Removes the rules; routes and addresses go with the device. */
  close(): void {
    for (const version of this.#versions) {
      try {
        this.#change('rule', RTM_DELRULE, 0, this.#rule(version));
      } catch (error) {
        // Somebody else removed it.
        if (!(error instanceof NetworkConfigurationError)) throw error;
      }
    }
    this.#versions.clear();
    this.#socket.close();
  }

  #findDevice(): number {
    const payload = encodeLinkQuestion(this.#device);
    const [answer] = this.#ask(`device ${this.#device}`, RTM_GETLINK, 0, payload);
    if (answer === undefined) throw new Error(`the kernel does not tell about device ${this.#device}`);
    return decodeLinkIndex(answer.payload);
  }

  #route({ address, length }: Prefix): Parameters<typeof encodeNewRoute>[0] {
    return {
      destination: addressBytes(address),
      prefixLength: length,
      deviceIndex: this.#index,
      table: this.#table,
    };
  }

  #rule(version: 4 | 6): Uint8Array {
    return encodeRule({ version, mark: this.#mark, table: this.#table, priority: this.#table });
  }

  #ensureRule(version: 4 | 6): void {
    if (this.#versions.has(version)) return;
    try {
      const flags = NetlinkFlag.CREATE | NetlinkFlag.EXCLUSIVE;
      this.#change('rule', RTM_NEWRULE, flags, this.#rule(version));
    } catch (error) {
      // A daemon that was killed leaves its rule behind: the very same one.
      const isThere =
        error instanceof NetworkConfigurationError &&
        error.cause instanceof SystemCallError &&
        error.cause.code === 'EEXIST';
      if (!isThere) throw error;
    }
    this.#versions.add(version);
  }

  #change(what: string, type: number, flags: number, payload: Uint8Array): void {
    this.#ask(what, type, flags, payload);
  }

  #ask(what: string, type: number, flags: number, payload: Uint8Array) {
    try {
      return this.#socket.request(what, { type, flags, payload });
    } catch (error) {
      throw error instanceof SystemCallError ? new NetworkConfigurationError(what, error) : error;
    }
  }
}

function routeKey({ address, length }: Prefix): string {
  return `${address}/${length}`;
}
