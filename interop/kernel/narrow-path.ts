// A gateway behind the host, to which a narrower path leads: what comes there in fragments is lost. In the guest a host behind it.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { patienceMs } from '../harness/eventually.ts';
import { RunningProcess, runProgram } from '../harness/processes.ts';
import { Strongswan } from '../harness/strongswan.ts';
import { type GuestNetwork, hostAddresses } from './guest-network.ts';

const mtuBytes = 1_300;
const octets = 200_000;

/** Of the gateway behind the narrow path: outside, and on its loopback device. */
export const farAddresses = {
  outer: { IPv4: '10.98.0.2', IPv6: 'fd98::2' },
  inner: { IPv4: '10.3.0.1', IPv6: 'fd03::1' },
} as const;
/** Of the host behind the guest. */
export const lanAddresses = { IPv4: '10.1.0.9', IPv6: 'fd01::9' } as const;
const routerAddresses = { IPv4: '10.98.0.1', IPv6: 'fd98::1' } as const;

/** A router cuts packets after the last of its own hooks. */
const noFragments = `table inet path { chain in {
  type filter hook prerouting priority -450; ip frag-off & 0x3fff != 0 drop; exthdr frag exists drop;
}; }`;
const tcpPort = 7_071;
const patienceSeconds = String(patienceMs / 1_000);
const inLan = 'ip netns exec lan';
const lan = [
  'ip netns add lan',
  'ip link add lan0 type veth peer name lan1 netns lan',
  'ip address add 10.1.0.254/24 dev lan0',
  'ip address add fd01::fe/64 dev lan0 nodad',
  'ip link set lan0 up',
  `${inLan} ip address add ${lanAddresses.IPv4}/24 dev lan1`,
  `${inLan} ip address add ${lanAddresses.IPv6}/64 dev lan1 nodad`,
  `${inLan} ip link set lan1 up`,
  `${inLan} ip route add default via 10.1.0.254`,
  `${inLan} ip -6 route add default via fd01::fe`,
  'echo 1 > /proc/sys/net/ipv4/ip_forward',
  'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
  // A router does not take routes from others.
  `ip -6 route add default via ${hostAddresses.outer.IPv6}`,
];

export class NarrowPath {
  readonly namespace: string;
  readonly strongswan: Strongswan;
  readonly #network: GuestNetwork;

  private constructor(network: GuestNetwork) {
    this.#network = network;
    this.namespace = `${network.namespace}-far`;
    this.strongswan = new Strongswan(this.namespace, join(network.folder, 'far'));
  }

  /** @param configuration of the gateway there */
  static async create(network: GuestNetwork, configuration: string): Promise<NarrowPath> {
    const path = new NarrowPath(network);
    const { namespace: near } = network;
    const { namespace: far, strongswan } = path;
    const { outer, inner } = farAddresses;
    await runProgram(['ip', 'netns', 'add', far]);
    for (const words of [
      `-n ${near} link add far mtu ${mtuBytes} type veth peer name near mtu ${mtuBytes} netns ${far}`,
      `-n ${near} address add ${routerAddresses.IPv4}/24 dev far`,
      `-n ${near} address add ${routerAddresses.IPv6}/64 dev far nodad`,
      `-n ${near} link set far up`,
      `-n ${far} link set lo up`,
      `-n ${far} address add ${outer.IPv4}/24 dev near`,
      `-n ${far} address add ${outer.IPv6}/64 dev near nodad`,
      `-n ${far} address add ${inner.IPv4}/32 dev lo`,
      `-n ${far} address add ${inner.IPv6}/128 dev lo`,
      `-n ${far} link set near up`,
      `-n ${far} route add default via ${routerAddresses.IPv4}`,
      `-n ${far} route add default via ${routerAddresses.IPv6}`,
    ])
      await runProgram(['ip', ...words.split(' ')]);
    for (const option of ['ipv4.ip_forward', 'ipv6.conf.all.forwarding'])
      await runProgram(['sysctl', '-qw', `net.${option}=1`], { namespace: near });
    await runProgram(['nft', '-f', '-'], { namespace: far, input: noFragments });
    await network.guest.run(lan.join(' && '));
    await mkdir(strongswan.folder, { recursive: true });
    await writeFile(join(strongswan.folder, 'swanctl.conf'), configuration);
    await strongswan.start();
    return path;
  }

  /** From now on. */
  async carriesUpTo(mtuBytes: number): Promise<void> {
    await runProgram(['ip', '-n', this.namespace, 'link', 'set', 'near', 'mtu', String(mtuBytes)]);
    await runProgram(['ip', '-n', this.#network.namespace, 'link', 'set', 'far', 'mtu', String(mtuBytes)]);
    await this.#network.guest.run('ip route flush cache; ip -6 route flush cache');
  }

  /** Sends random octets over TCP from the guest, or from the host behind it; whether they came as they were. */
  async carries(source: string, destination: string): Promise<boolean> {
    const at = (address: string): string => (address.includes(':') ? `[${address}]` : address);
    const version = destination.includes(':') ? 6 : 4;
    const listen = `TCP${version}-LISTEN:${tcpPort},bind=${at(destination)},reuseaddr`;
    const server = new RunningProcess(
      ['socat', '-d', '-d', '-t', patienceSeconds, listen, 'EXEC:sha256sum'],
      {
        namespace: this.namespace,
      },
    );
    try {
      await server.waitForOutput(/listening on/);
      const data = randomBytes(octets);
      const file = join(this.#network.folder, 'octets');
      await writeFile(file, data);
      const connect = `TCP${version}:${at(destination)}:${tcpPort},bind=${at(source)},connect-timeout=${patienceSeconds}`;
      const where = Object.values<string>(lanAddresses).includes(source) ? inLan : '';
      const answer = await this.#network.guest.run(
        `${where} timeout ${patienceSeconds} socat -t ${patienceSeconds} - ${connect} < ${file}; true`,
      );
      return answer.startsWith(createHash('sha256').update(data).digest('hex'));
    } finally {
      await server.end('SIGKILL');
    }
  }

  async close(): Promise<void> {
    await this.strongswan.stop();
    await this.#network.guest.run('ip netns del lan; ip link del lan0; true').catch(() => undefined);
    await runProgram(['ip', 'netns', 'del', this.namespace]).catch(() => undefined);
  }
}
