// Two hosts on two links, with an address of theirs on each. A link is cut in its middle: neither host's device notices.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Capture } from '../../harness/capture.ts';
import { eventually, patienceMs } from '../../harness/eventually.ts';
import type { Family } from '../../harness/network.ts';
import { runProgram } from '../../harness/processes.ts';
import { ContinuousPing, type Path } from '../../harness/traffic.ts';
import { HipHost } from '../hip-host.ts';

export interface MultihomedNetwork {
  /** Of the first link and of the second. */
  readonly families: readonly [Family, Family];
  readonly udp?: boolean;
}

export const multihomedNetworks: readonly MultihomedNetwork[] = [
  { families: ['IPv4', 'IPv4'] },
  { families: ['IPv6', 'IPv6'] },
  { families: ['IPv4', 'IPv6'] },
  { families: ['IPv4', 'IPv4'], udp: true },
];

export type Link = 0 | 1;
type Name = 'left' | 'right';

const bits: Readonly<Record<Family, number>> = { IPv4: 16, IPv6: 48 };
const addresses: Readonly<Record<Name, readonly Readonly<Record<Family, string>>[]>> = {
  left: [
    { IPv4: '10.98.1.1', IPv6: 'fd98:0:0:1::1' },
    { IPv4: '10.97.1.1', IPv6: 'fd97:0:0:1::1' },
  ],
  right: [
    { IPv4: '10.98.2.1', IPv6: 'fd98:0:0:2::1' },
    { IPv4: '10.97.2.1', IPv6: 'fd97:0:0:2::1' },
  ],
};

let stages = 0;

export class MultihomingStage {
  readonly left: HipHost;
  readonly right: HipHost;
  readonly network: MultihomedNetwork;
  readonly folder: string;
  readonly notes: string[] = [];
  captures: readonly Capture[] = [];
  readonly #links: string;
  readonly #pings: ContinuousPing[] = [];

  private constructor(network: MultihomedNetwork, folder: string) {
    this.network = network;
    this.folder = folder;
    // As other stages are called, so that what a killed process leaves behind is found.
    const prefix = `wwi${process.pid}-mh${stages++}`;
    this.#links = `${prefix}-links`;
    const host = (name: Name): HipHost => new HipHost(name, `${prefix}-${name}`, join(folder, name), 'P-256');
    this.left = host('left');
    this.right = host('right');
  }

  static async prepare(network: MultihomedNetwork): Promise<MultihomingStage> {
    const stage = new MultihomingStage(network, await mkdtemp(join(tmpdir(), 'wayward-mh-')));
    try {
      await stage.#create();
      await stage.#configure();
      stage.captures = await Promise.all(
        ([0, 1] as const).map((link) =>
          Capture.start(stage.#links, join(stage.folder, `link${link}.pcap`), `br${link}`),
        ),
      );
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  get hosts(): readonly HipHost[] {
    return [this.left, this.right];
  }

  address(host: HipHost, link: Link): string {
    return addresses[host.name as Name][link]![this.network.families[link]];
  }

  path(from: HipHost): Path {
    const to = from === this.left ? this.right : this.left;
    return { namespace: from.namespace, source: from.hit, destination: to.hit };
  }

  keepPinging(from: HipHost, intervalMs = 20): ContinuousPing {
    const ping = new ContinuousPing(this.path(from), intervalMs);
    this.#pings.push(ping);
    return ping;
  }

  /** Frames of a link are lost from now on, or go through again. */
  async cut(link: Link): Promise<void> {
    await ip(this.#links, `link set left${link} nomaster`);
  }

  async mend(link: Link): Promise<void> {
    await ip(this.#links, `link set left${link} master br${link}`);
  }

  /** The device of a host goes down, or up again with its address. */
  async device(host: HipHost, link: Link, to: 'up' | 'down'): Promise<void> {
    await ip(host.namespace, `link set eth${link} ${to}`);
    if (to === 'down' || this.network.families[link] === 'IPv4') return;
    // IPv6 addresses go with the device.
    await ip(host.namespace, `address replace ${this.address(host, link)}/${bits.IPv6} dev eth${link} nodad`);
  }

  /** Both are on this link. */
  async on(link: Link): Promise<void> {
    const { left, right } = this;
    await eventually(`both are on link ${link}`, async () => {
      const ways = await Promise.all(this.hosts.map((host) => host.association()));
      const [one, other] = ways.map((way) => [way?.path.local.address, way?.path.remote.address].join(' '));
      const [here, there] = [this.address(left, link), this.address(right, link)];
      return one === `${here} ${there}` && other === `${there} ${here}`;
    });
  }

  /** Each has verified both addresses of the other. */
  async verified(): Promise<void> {
    // One that did not answer for a while is asked again after half a minute.
    await eventually(
      'all addresses are ACTIVE',
      async () => {
        const all = await Promise.all(this.hosts.map((host) => host.association()));
        return all.every(
          (one) => one?.locators?.length === 2 && one.locators.every(({ state }) => state === 'ACTIVE'),
        );
      },
      2 * patienceMs,
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#pings.map((ping) => ping.abandon()));
    await Promise.all(this.hosts.map((host) => host.stop()));
    await Promise.all(this.captures.map((capture) => capture.stop()));
    for (const name of [...this.hosts.map(({ namespace }) => namespace), this.#links])
      await ip(undefined, `netns del ${name}`).catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }

  async #create(): Promise<void> {
    const links = this.#links;
    const namespaces = [links, ...this.hosts.map(({ namespace }) => namespace)];
    await ip(undefined, ...namespaces.map((name) => `netns add ${name}`));
    for (const link of [0, 1] as const)
      await ip(links, `link add br${link} type bridge`, `link set br${link} up`);
    for (const host of this.hosts) {
      const { namespace, name } = host;
      await ip(namespace, 'link set lo up');
      for (const link of [0, 1] as const) {
        const port = `${name}${link}`;
        const device = `eth${link}`;
        const family = this.network.families[link];
        const nodad = family === 'IPv6' ? ' nodad' : '';
        await ip(
          undefined,
          `link add ${device} netns ${namespace} type veth peer name ${port} netns ${links}`,
        );
        await ip(links, `link set ${port} master br${link}`, `link set ${port} up`);
        await ip(
          namespace,
          `address add ${this.address(host, link)}/${bits[family]} dev ${device}${nodad}`,
          `link set ${device} gso_max_segs 1 up`,
        );
      }
    }
  }

  async #configure(): Promise<void> {
    const { left, right } = this;
    const udp = this.network.udp === true ? 'udp = yes' : '';
    for (const [host, peer] of [
      [left, right],
      [right, left],
    ] as const) {
      const own = ([0, 1] as const).map((link) => this.address(host, link));
      const lines = [`hit = ${peer.hit}`, `addrs = ${this.address(peer, 0)}`, udp];
      await host.configureWith(`${peer.name} {\n${lines.join('\n')}\n}\n`, `addrs = ${own.join(', ')}`);
    }
  }
}

async function ip(namespace: string | undefined, ...commands: readonly string[]): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  await runProgram(['ip', ...where, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}
