// A routing table of our own, which packets without our mark look into before the main one.
import { encodeRule, NetlinkFlag, type NetlinkMessage, RTM_DELRULE, RTM_NEWRULE } from '#wire';
import { NETLINK_ROUTE } from '../libc/constants.ts';
import { SystemCallError } from '../libc/errno.ts';
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

/** What the kernel says of a route, or an address, or its device, that is not there. */
const gone: ReadonlySet<string> = new Set(['ESRCH', 'EADDRNOTAVAIL', 'ENODEV']);

/** Of what the kernel refused. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof NetworkConfigurationError)) return undefined;
  return error.cause instanceof SystemCallError ? error.cause.code : undefined;
}

/** The rules that lead into a table, and the socket for what it holds. */
export class RoutingTable {
  readonly number: number;
  readonly mark: number;
  readonly #socket: NetlinkSocket;
  readonly #versions = new Set<4 | 6>();

  /**
   * @param number of the table, and the priority of its rules
   * @param mark packets with this mark are ours and skip the table, so that no tunnel swallows its own packets
   */
  constructor(number: number, mark: number) {
    this.number = number;
    this.mark = mark;
    this.#socket = new NetlinkSocket(NETLINK_ROUTE);
  }

  /** Makes the rules of both families, so that a route is all that a tunnel still needs. @throws NetworkConfigurationError */
  ensureRules(): void {
    for (const version of [4, 6] as const) {
      try {
        this.ensureRule(version);
      } catch (error) {
        // A machine may lack a family. Its first route tells.
        if (!(error instanceof NetworkConfigurationError)) throw error;
      }
    }
  }

  ensureRule(version: 4 | 6): void {
    if (this.#versions.has(version)) return;
    try {
      const flags = NetlinkFlag.CREATE | NetlinkFlag.EXCLUSIVE;
      this.ask('rule', RTM_NEWRULE, flags, this.#rule(version));
    } catch (error) {
      // A daemon that was killed leaves its rule behind: the very same one.
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    this.#versions.add(version);
  }

  /** One request of rtnetlink and its answer. @throws NetworkConfigurationError */
  ask(what: string, type: number, flags: number, payload: Uint8Array): NetlinkMessage[] {
    try {
      return this.#socket.request(what, { type, flags, payload });
    } catch (error) {
      throw error instanceof SystemCallError ? new NetworkConfigurationError(what, error) : error;
    }
  }

  /** Takes a route or an address away. What has gone by itself is no failure. @throws NetworkConfigurationError */
  remove(what: string, type: number, payload: Uint8Array): void {
    try {
      this.ask(what, type, 0, payload);
    } catch (error) {
      if (!gone.has(codeOf(error) ?? '')) throw error;
    }
  }

  /** Makes a route or an address that is to be there. `false`: the kernel will not have it now. */
  restore(what: string, type: number, payload: Uint8Array): 'was there' | 'made' | false {
    try {
      // One that is there stays as it is, so that nobody hears of a change.
      this.ask(what, type, NetlinkFlag.CREATE | NetlinkFlag.EXCLUSIVE, payload);
      return 'made';
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) throw error;
      return code === 'EEXIST' && 'was there';
    }
  }

  /** Removes the rules; what the table holds stays. */
  close(): void {
    for (const version of this.#versions) {
      try {
        this.ask('rule', RTM_DELRULE, 0, this.#rule(version));
      } catch (error) {
        // Somebody else removed it.
        if (!(error instanceof NetworkConfigurationError)) throw error;
      }
    }
    this.#versions.clear();
    this.#socket.close();
  }

  #rule(version: 4 | 6): Uint8Array {
    const { mark, number } = this;
    return encodeRule({ version, mark, table: number, priority: number });
  }
}
