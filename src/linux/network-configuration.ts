// Addresses, routes and rules for tunnels, set by iproute2: `ip` reports what went wrong in words operators know.
import { execFile } from 'node:child_process';
import { type IpAddress, isIpv6, type Prefix } from '#sa';

/** `ip` failed; `detail` is what it printed. */
export class NetworkConfigurationError extends Error {
  readonly code = 'network-configuration' as const;

  constructor(command: readonly string[], detail: string) {
    super(`ip ${command.join(' ')}: ${detail}`);
    this.name = 'NetworkConfigurationError';
  }
}

function ip(...words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('ip', words, { encoding: 'utf8' }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new NetworkConfigurationError(words, stderr.trim() || error.message));
    });
  });
}

/** What a TUN device of ours carries. Everything set here disappears with `close` or with the device. */
export class TunNetwork {
  readonly #device: string;
  readonly #table: string;
  readonly #mark: number;
  readonly #routes = new Map<string, number>();
  readonly #addresses = new Map<IpAddress, number>();
  readonly #families = new Set<'-4' | '-6'>();

  /**
   * @param table number of a routing table of our own, looked at before the main one
   * @param mark packets with this mark are ours and skip the table, so that no tunnel swallows its own packets
   */
  constructor(device: string, table: number, mark: number) {
    this.#device = device;
    this.#table = String(table);
    this.#mark = mark;
  }

  /** Brings the device up and makes the rules, so that a route is all that a tunnel still needs. */
  async up(mtuBytes: number): Promise<void> {
    const [device] = await Promise.allSettled([
      ip('link', 'set', this.#device, 'mtu', String(mtuBytes), 'up'),
      // A machine may lack a family. Its first route tells.
      this.#ensureRule('-4'),
      this.#ensureRule('-6'),
    ]);
    if (device.status === 'fulfilled') return;
    await this.close();
    throw device.reason;
  }

  /**
   * Sends packets for `destination` into the tunnel.
   * @param source one of our addresses to send from; asked for only if the route is new
   */
  async addRoute(destination: Prefix, source: () => IpAddress | undefined): Promise<void> {
    const family = isIpv6(destination.address) ? '-6' : '-4';
    const key = routeKey(destination);
    const users = this.#routes.get(key) ?? 0;
    this.#routes.set(key, users + 1);
    if (users > 0) return;
    await this.#ensureRule(family);
    const own = source();
    const from = own === undefined ? [] : ['src', own];
    await ip(family, 'route', 'replace', key, 'dev', this.#device, 'table', this.#table, ...from);
  }

  async removeRoute(destination: Prefix): Promise<void> {
    const key = routeKey(destination);
    const users = this.#routes.get(key) ?? 0;
    if (users > 1) {
      this.#routes.set(key, users - 1);
      return;
    }
    if (!this.#routes.delete(key)) return;
    const family = isIpv6(destination.address) ? '-6' : '-4';
    await ip(family, 'route', 'del', key, 'dev', this.#device, 'table', this.#table);
  }

  /** A virtual address that a peer gave us. */
  async addAddress(address: IpAddress): Promise<void> {
    const users = this.#addresses.get(address) ?? 0;
    this.#addresses.set(address, users + 1);
    if (users > 0) return;
    const [family, bits] = isIpv6(address) ? (['-6', 128] as const) : (['-4', 32] as const);
    const nodad = family === '-6' ? ['nodad'] : [];
    await ip(family, 'address', 'replace', `${address}/${bits}`, 'dev', this.#device, ...nodad);
  }

  async removeAddress(address: IpAddress): Promise<void> {
    const users = this.#addresses.get(address) ?? 0;
    if (users > 1) {
      this.#addresses.set(address, users - 1);
      return;
    }
    if (!this.#addresses.delete(address)) return;
    const [family, bits] = isIpv6(address) ? (['-6', 128] as const) : (['-4', 32] as const);
    await ip(family, 'address', 'del', `${address}/${bits}`, 'dev', this.#device);
  }

  async #ensureRule(family: '-4' | '-6'): Promise<void> {
    if (this.#families.has(family)) return;
    this.#families.add(family);
    try {
      await ip(family, 'rule', 'add', ...this.#rule());
    } catch (error) {
      // A daemon that was killed leaves its rule behind: the very same one.
      if (error instanceof NetworkConfigurationError && error.message.includes('File exists')) return;
      this.#families.delete(family);
      throw error;
    }
  }

  #rule(): string[] {
    return ['not', 'fwmark', String(this.#mark), 'lookup', this.#table, 'priority', this.#table];
  }

  async #deleteRule(family: '-4' | '-6'): Promise<void> {
    await ip(family, 'rule', 'del', ...this.#rule()).catch(() => undefined);
  }

  /** Removes the rules; routes and addresses go with the device. */
  async close(): Promise<void> {
    for (const family of this.#families) await this.#deleteRule(family);
    this.#families.clear();
  }
}

function routeKey({ address, length }: Prefix): string {
  return `${address}/${length}`;
}
