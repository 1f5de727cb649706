// Three hosts on one link: an Initiator, a rendezvous server and its client. Only the server's address is known to others.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Capture } from '../../harness/capture.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Family } from '../../harness/network.ts';
import { runProgram } from '../../harness/processes.ts';
import type { Path } from '../../harness/traffic.ts';
import { HipHost } from '../hip-host.ts';

export interface RendezvousNetwork {
  readonly family: Family;
  readonly udp?: boolean;
}

export const rendezvousNetworks: readonly RendezvousNetwork[] = [
  { family: 'IPv4' },
  { family: 'IPv6' },
  { family: 'IPv4', udp: true },
];

const bits: Readonly<Record<Family, number>> = { IPv4: 16, IPv6: 48 };
const addresses = {
  moon: { IPv4: '10.99.1.1', IPv6: 'fd99:0:0:1::1' },
  hub: { IPv4: '10.99.2.1', IPv6: 'fd99:0:0:2::1' },
  sun: { IPv4: '10.99.3.1', IPv6: 'fd99:0:0:3::1' },
  /** Where sun and moon are afterwards. */
  sunMoved: { IPv4: '10.99.4.1', IPv6: 'fd99:0:0:4::1' },
  sunMovedAgain: { IPv4: '10.99.5.1', IPv6: 'fd99:0:0:5::1' },
  moonMoved: { IPv4: '10.99.6.1', IPv6: 'fd99:0:0:6::1' },
} as const;

type Name = 'moon' | 'hub' | 'sun';

let stages = 0;

export class RendezvousStage {
  readonly moon: HipHost;
  readonly hub: HipHost;
  readonly sun: HipHost;
  readonly network: RendezvousNetwork;
  readonly folder: string;
  readonly notes: string[] = [];
  capture: Capture | undefined;
  readonly #link: string;
  readonly #where = new Map<HipHost, string>();

  private constructor(network: RendezvousNetwork, folder: string) {
    this.network = network;
    this.folder = folder;
    // As other stages are called, so that what a killed process leaves behind is found.
    const prefix = `wwi${process.pid}-rvs${stages++}`;
    this.#link = `${prefix}-link`;
    const host = (name: Name): HipHost => new HipHost(name, `${prefix}-${name}`, join(folder, name), 'P-256');
    this.moon = host('moon');
    this.hub = host('hub');
    this.sun = host('sun');
    for (const one of this.hosts) this.#where.set(one, addresses[one.name as Name][network.family]);
  }

  static async prepare(network: RendezvousNetwork): Promise<RendezvousStage> {
    const stage = new RendezvousStage(network, await mkdtemp(join(tmpdir(), 'wayward-rvs-')));
    try {
      await stage.#create();
      await stage.#configure();
      stage.capture = await Capture.start(stage.#link, join(stage.folder, 'link.pcap'), 'br0');
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  get hosts(): readonly HipHost[] {
    return [this.moon, this.hub, this.sun];
  }

  address(host: HipHost): string {
    return this.#where.get(host)!;
  }

  path(from: HipHost, to: HipHost): Path {
    return { namespace: from.namespace, source: from.hit, destination: to.hit };
  }

  async start(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.start()));
  }

  /** Nothing that is sent to the present address of the host gets there any more. */
  async leave(host: HipHost): Promise<void> {
    const destination = `${this.network.family === 'IPv4' ? 'ip' : 'ip6'} daddr ${this.address(host)}`;
    const chain = `type filter hook prerouting priority raw; ${destination} drop;`;
    await runProgram(['nft', '-f', '-'], {
      namespace: host.namespace,
      input: `table inet left { chain in { ${chain} }; }`,
    });
  }

  /** The host loses its address and gets another one. */
  async move(host: HipHost, to: keyof typeof addresses): Promise<void> {
    const { family } = this.network;
    const address = addresses[to][family];
    const nodad = family === 'IPv6' ? ' nodad' : '';
    await ip(
      host.namespace,
      `address del ${this.address(host)}/${bits[family]} dev eth0`,
      `address add ${address}/${bits[family]} dev eth0${nodad}`,
    );
    this.#where.set(host, address);
  }

  /** sun is registered, and its server relays to where it is now. */
  async registered(): Promise<void> {
    const { hub, sun } = this;
    await eventually('sun is registered where it is', async () => {
      const [there, here] = await Promise.all([sun.association(hub), hub.association(sun)]);
      return (
        there?.registration?.state === 'registered' &&
        here?.client !== undefined &&
        here.path.remote.address === this.address(sun)
      );
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop()));
    await this.capture?.stop();
    for (const name of [...this.hosts.map(({ namespace }) => namespace), this.#link])
      await ip(undefined, `netns del ${name}`).catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }

  async #create(): Promise<void> {
    const link = this.#link;
    const namespaces = [link, ...this.hosts.map(({ namespace }) => namespace)];
    await ip(undefined, ...namespaces.map((name) => `netns add ${name}`));
    await ip(link, 'link add br0 type bridge', 'link set br0 up');
    const { IPv4, IPv6 } = bits;
    for (const host of this.hosts) {
      const { namespace, name } = host;
      const own = addresses[name as Name];
      await ip(undefined, `link add eth0 netns ${namespace} type veth peer name ${name} netns ${link}`);
      await ip(link, `link set ${name} master br0`, `link set ${name} up`);
      await ip(
        namespace,
        'link set lo up',
        `address add ${own.IPv4}/${IPv4} dev eth0`,
        `address add ${own.IPv6}/${IPv6} dev eth0 nodad`,
        'link set eth0 gso_max_segs 1 up',
      );
    }
  }

  async #configure(): Promise<void> {
    const { moon, hub, sun } = this;
    const udp = this.network.udp === true ? 'udp = yes' : '';
    const peer = (host: HipHost, ...lines: string[]): string =>
      `${host.name} {\n${[`hit = ${host.hit}`, udp, ...lines].join('\n')}\n}\n`;
    const server = `addrs = ${this.address(hub)}`;
    await moon.configureWith(peer(hub, server) + peer(sun, 'rvs = hub'), '');
    await hub.configureWith(peer(moon) + peer(sun), 'registrar {\nrendezvous = yes\nclients = sun\n}');
    await sun.configureWith(
      peer(hub, server, 'register = rendezvous', 'register_lifetime = 12s') + peer(moon),
      '',
    );
  }
}

async function ip(namespace: string | undefined, ...commands: readonly string[]): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  await runProgram(['ip', ...where, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}
