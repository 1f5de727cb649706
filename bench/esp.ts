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
import type { Report, Table } from './report.ts';

/** What iperf3 is told to send. */
const traffic = {
  'one TCP stream': ['-t', '3'],
  // In IP packets of 1400 octets, which fit every tunnel.
  'UDP, 1372 octets of data': ['-t', '2', '-u', '-b', '0', '-l', '1372'],
  'UDP, 64 octets of data': ['-t', '2', '-u', '-b', '0', '-l', '64'],
} as const;

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
export async function espBenchmark(rounds: number): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'wayward-bench-'));
  const makers: Readonly<Record<string, () => Promise<Path>>> = {
    wayward: () => daemons(Wayward, join(folder, 'wayward')),
    'kernel-libipsec': () => daemons(Strongswan, join(folder, 'strongswan')),
    'wireguard-go': () => wireguard(folder),
    'bare link': bareLink,
  };
  const ready: Record<string, Path> = {};
  const skipped: Record<string, string> = {};
  const tables: Table[] = [];
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
      tables.push(...(await measureAll(kind, ready, options, rounds)));
    }
  } finally {
    for (const path of Object.values(ready)) await path.stop();
    await rm(folder, { recursive: true });
  }
  return { tables, skipped };
}

async function measureAll(
  kind: string,
  ready: Readonly<Record<string, Path>>,
  options: readonly string[],
  rounds: number,
): Promise<Table[]> {
  const measured = await interleaved<string, Sample>(
    rounds,
    Object.fromEntries(Object.entries(ready).map(([name, path]) => [name, () => measure(path, options)])),
  );
  const mbits: Record<string, Spread> = {};
  const cpu: Record<string, Spread> = {};
  for (const [name, samples] of Object.entries(measured)) {
    mbits[name] = spread(samples.map((sample) => sample.mbits));
    // Nobody carries the packets of the bare link.
    if (ready[name]!.pids.length === 0) continue;
    cpu[name] = spread(samples.map((sample) => sample.cpuSecondsPerGigabyte));
  }
  const ratios: Record<string, number> = {};
  for (const name of ['kernel-libipsec', 'wireguard-go']) {
    if (mbits['wayward'] === undefined || mbits[name] === undefined) continue;
    ratios[`Mbit/s to ${name}`] = mbits['wayward'].median / mbits[name].median;
    ratios[`CPU to ${name}`] = cpu['wayward']!.median / cpu[name]!.median;
  }
  return [
    { title: `${kind}: Mbit/s at the receiver`, rows: mbits },
    { title: `${kind}: CPU seconds per gigabyte of both ends`, rows: cpu },
    { title: `${kind}: wayward to the others`, rows: ratios },
  ];
}
