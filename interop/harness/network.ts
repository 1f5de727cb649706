// Network namespaces of one run: wayward and its peer on a link, or with a router or NAT between them.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { runProgram } from './processes.ts';

export type Family = 'IPv4' | 'IPv6';
export type Side = 'wayward' | 'strongswan';

export interface NetworkOptions {
  /** A router between the two; `nat` translates the addresses of the side that it hides. Default: a direct link. */
  readonly router?: 'plain' | 'nat';
  /** Which side the NAT hides. Default: wayward. */
  readonly hidden?: Side;
  /** What is sent as one crosses a direct link as one: fast, as on real hosts, but captures show it so too. */
  readonly joined?: boolean;
}

/** What one side is called and where it is. Both have addresses of both families, outside and inside. */
export interface Host {
  readonly namespace: string;
  readonly outer: Readonly<Record<Family, string>>;
  /** An address behind this side, on its loopback device. */
  readonly inner: Readonly<Record<Family, string>>;
}

/** Of the prefix that both sides of a direct link are in. */
const linkBits: Readonly<Record<Family, number>> = { IPv4: 16, IPv6: 48 };

const prefix = 'wwi';
let runs = 0;
const open = new Set<TestNetwork>();
process.on('exit', () => {
  for (const network of open) network.removeNow();
});

/** The namespaces of one run, with names that no other process uses. */
export class TestNetwork {
  readonly wayward: Host;
  readonly strongswan: Host;
  readonly router: string | undefined;
  /** The NAT's address towards the side that it does not hide. */
  readonly publicAddress: Readonly<Record<Family, string>> | undefined;
  readonly #options: NetworkOptions;

  constructor(options: NetworkOptions = {}) {
    this.#options = options;
    const name = `${prefix}${process.pid}-${runs++}`;
    this.wayward = {
      namespace: `${name}-wayward`,
      outer: { IPv4: '10.99.1.1', IPv6: 'fd99:0:0:1::1' },
      inner: { IPv4: '10.1.0.1', IPv6: 'fd01::1' },
    };
    this.strongswan = {
      namespace: `${name}-strongswan`,
      outer: { IPv4: '10.99.2.1', IPv6: 'fd99:0:0:2::1' },
      inner: { IPv4: '10.2.0.1', IPv6: 'fd02::1' },
    };
    if (options.router !== undefined) this.router = `${name}-router`;
    if (options.router === 'nat') this.publicAddress = routerAddress(this.#publicSide);
  }

  get #namespaces(): string[] {
    return [
      this.wayward.namespace,
      this.strongswan.namespace,
      ...(this.router === undefined ? [] : [this.router]),
    ];
  }

  async create(): Promise<void> {
    open.add(this);
    await ip(undefined, ...this.#namespaces.map((name) => `netns add ${name}`));
    const { wayward, strongswan, router } = this;
    await Promise.all(this.#namespaces.map((name) => ip(name, 'link set lo up')));
    if (router === undefined) {
      await link(wayward.namespace, 'eth0', strongswan.namespace, 'eth0');
      const { joined = false } = this.#options;
      await Promise.all([
        outside(wayward, linkBits.IPv4, linkBits.IPv6, joined),
        outside(strongswan, linkBits.IPv4, linkBits.IPv6, joined),
      ]);
    } else {
      await link(wayward.namespace, 'eth0', router, 'eth1');
      await link(strongswan.namespace, 'eth0', router, 'eth2');
      await Promise.all([
        outside(wayward, 24, 64),
        outside(strongswan, 24, 64),
        this.#configureRouter(router),
      ]);
      await ip(wayward.namespace, ...defaultRoutes(1));
      await ip(strongswan.namespace, ...defaultRoutes(2));
    }
    await Promise.all([inside(wayward), inside(strongswan)]);
  }

  async #configureRouter(router: string): Promise<void> {
    const commands = ([1, 2] as const).flatMap((side) => {
      const { IPv4, IPv6 } = routerAddress(side);
      return [
        `address add ${IPv4}/24 dev eth${side}`,
        `address add ${IPv6}/64 dev eth${side} nodad`,
        `link set eth${side} up`,
      ];
    });
    await ip(router, ...commands);
    await runProgram(['sysctl', '-q', '-w', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'], {
      namespace: router,
    });
    if (this.#options.router === 'nat') await this.#masquerade('masquerade');
  }

  /** Which side of the router has the NAT's public address. */
  get #publicSide(): 1 | 2 {
    return this.#options.hidden === 'strongswan' ? 1 : 2;
  }

  /** @param before in the same transaction */
  async #masquerade(rule: string, before = ''): Promise<void> {
    const chain = `type nat hook postrouting priority srcnat; oifname "eth${this.#publicSide}" ${rule};`;
    await this.nft(`${before}table inet nat { chain out { ${chain} }; }`);
  }

  /** The NAT forgets all mappings; new ones for UDP get a port of `ports`, for example `30000-39999`. */
  async remap(ports: string): Promise<void> {
    const router = this.router;
    if (router === undefined) throw new Error('there is no NAT');
    // At once: what passed a router without any NAT would have gone out with the address that it hides.
    await this.#masquerade(`meta l4proto udp masquerade to :${ports}`, 'delete table inet nat; ');
    const side = this.#publicSide;
    // A device that goes down takes its masqueraded mappings along, and its IPv6 addresses.
    const { IPv6 } = routerAddress(side);
    const device = `dev eth${side}`;
    await ip(
      router,
      `link set ${device} down`,
      `link set ${device} up`,
      `address add ${IPv6}/64 ${device} nodad`,
    );
  }

  /**
   * A side of a direct link loses its outer address of one family, and gets another one.
   * @returns the other one
   */
  async renumber(side: Side, family: Family, awayMs: number): Promise<string> {
    const { namespace, outer } = this.host(side);
    const other = outer[family].replace(/1$/, '7');
    await this.withdraw(side, family);
    await new Promise((resolve) => setTimeout(resolve, awayMs));
    await ip(
      namespace,
      `address add ${other}/${linkBits[family]} dev eth0${family === 'IPv4' ? '' : ' nodad'}`,
    );
    return other;
  }

  /** A side of a direct link loses its outer address of one family. */
  async withdraw(side: Side, family: Family): Promise<void> {
    const { namespace, outer } = this.host(side);
    await ip(namespace, `address del ${outer[family]}/${linkBits[family]} dev eth0`);
  }

  /** Runs nftables commands, in the router if there is one and else at wayward. */
  async nft(commands: string): Promise<void> {
    const namespace = this.router ?? this.wayward.namespace;
    await runProgram(['nft', '-f', '-'], { namespace, input: commands });
  }

  host(side: Side): Host {
    return side === 'wayward' ? this.wayward : this.strongswan;
  }

  async remove(): Promise<void> {
    open.delete(this);
    for (const name of this.#namespaces) await ip(undefined, `netns del ${name}`).catch(() => undefined);
  }

  /** For the end of this process, when nothing can be waited for. */
  removeNow(): void {
    for (const name of this.#namespaces) removeNamespaceNow(name);
  }
}

/** Removes what a process left behind that was killed. */
export function removeStaleNamespaces(): void {
  const folder = '/run/netns';
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeNamespaceNow(name);
  }
}

function removeNamespaceNow(name: string): void {
  try {
    execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  } catch {
    // It was never made.
  }
}

function routerAddress(side: 1 | 2): Record<Family, string> {
  return { IPv4: `10.99.${side}.254`, IPv6: `fd99:0:0:${side}::fe` };
}

function defaultRoutes(side: 1 | 2): string[] {
  const { IPv4, IPv6 } = routerAddress(side);
  return [`route add default via ${IPv4}`, `route add default via ${IPv6}`];
}

async function link(left: string, leftDevice: string, right: string, rightDevice: string): Promise<void> {
  await ip(
    undefined,
    `link add ${leftDevice} netns ${left} type veth peer name ${rightDevice} netns ${right}`,
  );
}

async function outside(
  { namespace, outer }: Host,
  bits4: number,
  bits6: number,
  joined = false,
): Promise<void> {
  await ip(
    namespace,
    `address add ${outer.IPv4}/${bits4} dev eth0`,
    `address add ${outer.IPv6}/${bits6} dev eth0 nodad`,
    // The kernel cuts what is sent as one into datagrams before it is captured, so that a capture can be read.
    `link set eth0 ${joined ? '' : 'gso_max_segs 1 '}up`,
  );
}

async function inside({ namespace, inner }: Host): Promise<void> {
  await ip(namespace, `address add ${inner.IPv4}/24 dev lo`, `address add ${inner.IPv6}/64 dev lo nodad`);
}

/** Carries out commands of iproute2, one after the other. */
async function ip(namespace: string | undefined, ...commands: readonly string[]): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  await runProgram(['ip', ...where, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}
