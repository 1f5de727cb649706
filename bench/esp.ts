// One flow between two namespaces: through two wayward daemons, two strongSwan with ESP in userspace, two wireguard-go, and
// the bare link. All stand at once, and the flow goes through one after the other.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunningProcess, runProgram } from '../interop/harness/processes.ts';
import { Strongswan } from '../interop/harness/strongswan.ts';
import { Wayward } from '../interop/harness/wayward.ts';
import { cpuSeconds, interleaved, type Spread, spread } from './measure.ts';
import { bareLink, daemons, type Path, wireguard } from './paths.ts';

/** What iperf3 is told to send. */
const traffic = {
  'one TCP stream': ['-t', '3'],
  // In IP packets of 1400 octets, which fit every tunnel.
  'UDP, 1372 octets of data': ['-t', '2', '-u', '-b', '0', '-l', '1372'],
  'UDP, 64 octets of data': ['-t', '2', '-u', '-b', '0', '-l', '64'],
} as const;

export interface PathResult {
  /** At the receiver. */
  readonly mbits: Spread;
  /** Of both ends' processes together; absent where there are none. */
  readonly cpuSecondsPerGigabyte?: Spread;
}

export interface TrafficResult {
  readonly paths: Readonly<Record<string, PathResult>>;
  readonly ratios: Readonly<Record<string, number>>;
}

export interface EspResult {
  readonly traffic: Readonly<Record<string, TrafficResult>>;
  readonly skipped: Readonly<Record<string, string>>;
}

interface Sample {
  readonly mbits: number;
  readonly cpuSecondsPerGigabyte: number;
}

/** What iperf3 says at the end of a run. */
interface IperfEnd {
  readonly sum: { readonly bytes: number; readonly bits_per_second: number; readonly lost_percent?: number };
  readonly sum_received?: { readonly bytes: number; readonly bits_per_second: number };
}

async function measure(path: Path, options: readonly string[]): Promise<Sample> {
  const { network, source, target, pids } = path;
  const server = new RunningProcess(['iperf3', '-s', '-1', '--forceflush', '-B', target], {
    namespace: network.strongswan.namespace,
  });
  await server.waitForOutput(/listening/, 10_000);
  const before = cpuSeconds(pids);
  const words = ['iperf3', '-J', '-c', target, '-B', source, ...options];
  const output = await runProgram(words, { namespace: network.wayward.namespace, timeoutMs: 60_000 });
  const spent = cpuSeconds(pids) - before;
  await server.ended;
  const end = JSON.parse(output).end as IperfEnd;
  // Of UDP the sum is what was sent, and what of it was lost.
  const arrived = 1 - (end.sum?.lost_percent ?? 0) / 100;
  const { bytes, bits_per_second } = options.includes('-u') ? end.sum : end.sum_received!;
  return {
    mbits: (bits_per_second * arrived) / 1e6,
    cpuSecondsPerGigabyte: spent / ((bytes * arrived) / 1e9),
  };
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
  const results: Record<string, TrafficResult> = {};
  try {
    for (const [name, make] of Object.entries(makers)) {
      try {
        ready[name] = await make();
      } catch (error) {
        skipped[name] = error instanceof Error ? error.message : String(error);
      }
    }
    // The first stream compiles and fills caches: it is not counted.
    for (const path of Object.values(ready)) await measure(path, traffic['one TCP stream']);
    for (const [kind, options] of Object.entries(traffic)) {
      results[kind] = await measureAll(ready, options, rounds);
    }
  } finally {
    for (const path of Object.values(ready)) await path.stop();
    await rm(folder, { recursive: true });
  }
  return { traffic: results, skipped };
}

async function measureAll(
  ready: Readonly<Record<string, Path>>,
  options: readonly string[],
  rounds: number,
): Promise<TrafficResult> {
  const measured = await interleaved<string, Sample>(
    rounds,
    Object.fromEntries(Object.entries(ready).map(([name, path]) => [name, () => measure(path, options)])),
  );
  const paths: Record<string, PathResult> = {};
  for (const [name, samples] of Object.entries(measured)) {
    const mbits = spread(samples.map((sample) => sample.mbits));
    const cpu = spread(samples.map((sample) => sample.cpuSecondsPerGigabyte));
    paths[name] = ready[name]!.pids.length === 0 ? { mbits } : { mbits, cpuSecondsPerGigabyte: cpu };
  }
  return { paths, ratios: ratiosOf(paths) };
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
