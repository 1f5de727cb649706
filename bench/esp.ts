// One TCP stream between two namespaces: through two wayward daemons, two strongSwan with ESP in userspace, two
// wireguard-go, and the bare link. All stand at once, and the stream goes through one after the other.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Host, TestNetwork } from '../interop/harness/network.ts';
import { RunningProcess, runProgram } from '../interop/harness/processes.ts';
import { Strongswan } from '../interop/harness/strongswan.ts';
import { Wayward } from '../interop/harness/wayward.ts';
import { type Spread, spread } from './measure.ts';

const streamSeconds = 3;
const ticksPerSecond = 100;

export interface PathResult {
  /** At the receiver. */
  readonly mbits: Spread;
  /** Of both ends' processes together; absent where there are none. */
  readonly cpuSecondsPerGigabyte?: Spread;
}

export interface EspResult {
  readonly paths: Readonly<Record<string, PathResult>>;
  readonly ratios: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, string>>;
}

/** A way for the stream, set up. */
interface Path {
  readonly network: TestNetwork;
  readonly target: string;
  readonly source: string;
  /** Processes that carry the packets. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

function configuration(local: Host, remote: Host, [localId, remoteId]: readonly [string, string]): string {
  return `connections { bench {
  version = 2
  local_addrs = ${local.outer.IPv4}
  remote_addrs = ${remote.outer.IPv4}
  proposals = aes128gcm16-prfsha256-x25519
  encap = yes
  local {
    auth = psk
    id = ${localId}
  }
  remote {
    auth = psk
    id = ${remoteId}
  }
  children { net {
    local_ts = ${local.inner.IPv4}/24
    remote_ts = ${remote.inner.IPv4}/24
    esp_proposals = aes128gcm16
  } }
} }
secrets { ike-bench {
  id = ${remoteId}
  secret = "a secret for benchmarks"
} }
`;
}

async function daemons(kind: typeof Wayward | typeof Strongswan, folder: string): Promise<Path> {
  const network = new TestNetwork();
  await network.create();
  const ids = ['left.example', 'right.example'] as const;
  const [left, right] = [network.wayward, network.strongswan];
  const ends: (Wayward | Strongswan)[] = [];
  for (const [local, remote, names] of [
    [left, right, ids],
    [right, left, [ids[1], ids[0]]],
  ] as const) {
    const own = join(folder, names[0]);
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'swanctl.conf'), configuration(local, remote, names));
    const end = new kind(local.namespace, own);
    await end.start();
    ends.push(end);
  }
  await ends[0]!.up('net');
  return {
    network,
    source: left.inner.IPv4,
    target: right.inner.IPv4,
    pids: ends.flatMap((end) => end.pid ?? []),
    stop: async () => {
      for (const end of ends) await end.stop();
      await network.remove();
    },
  };
}

interface WireguardEnd {
  readonly host: Host;
  readonly device: string;
  readonly daemon: RunningProcess;
  readonly keyPath: string;
  readonly publicKey: string;
}

async function wireguard(folder: string): Promise<Path> {
  const network = new TestNetwork();
  await network.create();
  const ends: WireguardEnd[] = [];
  for (const [i, host] of [network.wayward, network.strongswan].entries()) {
    const device = `wwb${process.pid}${i}`;
    const { namespace } = host;
    const daemon = new RunningProcess(['wireguard-go', '-f', device], { namespace });
    const keyPath = join(folder, `key-${i}`);
    const key = await runProgram(['wg', 'genkey']);
    await writeFile(keyPath, key, { mode: 0o600 });
    const publicKey = (await runProgram(['wg', 'pubkey'], { input: key })).trim();
    ends.push({ host, device, daemon, keyPath, publicKey });
  }
  for (const [i, { host, device, keyPath }] of ends.entries()) {
    const peer = ends[1 - i]!;
    const { namespace } = host;
    await untilReady(() => runProgram(['ip', '-n', namespace, 'link', 'show', device]));
    const endpoint = `${peer.host.outer.IPv4}:51820`;
    const own = ['wg', 'set', device, 'listen-port', '51820', 'private-key', keyPath];
    const other = ['peer', peer.publicKey, 'endpoint', endpoint, 'allowed-ips', `${peer.host.inner.IPv4}/24`];
    await untilReady(() => runProgram([...own, ...other], { namespace }));
    await runProgram(['ip', '-n', namespace, 'link', 'set', device, 'mtu', '1420', 'up']);
    const route = [`${peer.host.inner.IPv4}/32`, 'dev', device, 'src', host.inner.IPv4];
    await runProgram(['ip', '-n', namespace, 'route', 'add', ...route]);
  }
  return {
    network,
    source: network.wayward.inner.IPv4,
    target: network.strongswan.inner.IPv4,
    pids: ends.flatMap(({ daemon }) => daemon.pid ?? []),
    stop: async () => {
      for (const { daemon } of ends) await daemon.end();
      await network.remove();
    },
  };
}

async function bareLink(): Promise<Path> {
  const network = new TestNetwork();
  await network.create();
  return {
    network,
    source: network.wayward.outer.IPv4,
    target: network.strongswan.outer.IPv4,
    pids: [],
    stop: () => network.remove(),
  };
}

async function untilReady(attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (tries === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** proc(5): user and system time of all threads of a process. */
async function cpuSeconds(pids: readonly number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / ticksPerSecond;
}

async function measure(path: Path): Promise<{ mbits: number; cpuSecondsPerGigabyte: number }> {
  const { network, source, target, pids } = path;
  const server = new RunningProcess(['iperf3', '-s', '-1', '--forceflush', '-B', target], {
    namespace: network.strongswan.namespace,
  });
  await server.waitForOutput(/listening/, 10_000);
  const before = await cpuSeconds(pids);
  const words = ['iperf3', '-J', '-c', target, '-B', source, '-t', String(streamSeconds)];
  const output = await runProgram(words, { namespace: network.wayward.namespace, timeoutMs: 60_000 });
  const spent = (await cpuSeconds(pids)) - before;
  await server.ended;
  const received = JSON.parse(output).end.sum_received as { bytes: number; bits_per_second: number };
  return { mbits: received.bits_per_second / 1e6, cpuSecondsPerGigabyte: spent / (received.bytes / 1e9) };
}

/** Needs root, strongSwan, wireguard-go and iperf3; what is not there is named. */
export async function espBenchmark(rounds: number): Promise<EspResult> {
  const folder = await mkdtemp(join(tmpdir(), 'wayward-bench-'));
  const makers: Readonly<Record<string, () => Promise<Path>>> = {
    wayward: () => daemons(Wayward, join(folder, 'wayward')),
    'kernel-libipsec': () => daemons(Strongswan, join(folder, 'strongswan')),
    'wireguard-go': () => wireguard(folder),
    'bare link': bareLink,
  };
  const ready: Record<string, Path> = {};
  const skipped: Record<string, string> = {};
  const measured: Record<string, { mbits: number[]; cpu: number[] }> = {};
  try {
    for (const [name, make] of Object.entries(makers)) {
      try {
        ready[name] = await make();
        measured[name] = { mbits: [], cpu: [] };
      } catch (error) {
        skipped[name] = error instanceof Error ? error.message : String(error);
      }
    }
    // The first stream compiles and fills caches: it is not counted.
    for (const path of Object.values(ready)) await measure(path);
    for (let round = 0; round < rounds; round++) {
      for (const [name, path] of Object.entries(ready)) {
        const { mbits, cpuSecondsPerGigabyte } = await measure(path);
        measured[name]!.mbits.push(mbits);
        if (path.pids.length > 0) measured[name]!.cpu.push(cpuSecondsPerGigabyte);
      }
    }
  } finally {
    for (const path of Object.values(ready)) await path.stop();
    await rm(folder, { recursive: true });
  }
  const paths: Record<string, PathResult> = {};
  for (const [name, { mbits, cpu }] of Object.entries(measured)) {
    paths[name] = {
      mbits: spread(mbits),
      ...(cpu.length === 0 ? {} : { cpuSecondsPerGigabyte: spread(cpu) }),
    };
  }
  return { paths, ratios: ratiosOf(paths), skipped };
}

function ratiosOf(paths: Readonly<Record<string, PathResult>>): Record<string, number> {
  const ratios: Record<string, number> = {};
  const own = paths['wayward'];
  for (const name of ['kernel-libipsec', 'wireguard-go']) {
    const other = paths[name];
    if (own === undefined || other === undefined) continue;
    ratios[`Mbit/s to ${name}`] = own.mbits.median / other.mbits.median;
    if (own.cpuSecondsPerGigabyte !== undefined && other.cpuSecondsPerGigabyte !== undefined) {
      ratios[`CPU to ${name}`] = own.cpuSecondsPerGigabyte.median / other.cpuSecondsPerGigabyte.median;
    }
  }
  return ratios;
}
