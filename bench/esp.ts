// One flow between two namespaces: through two wayward daemons, two strongSwan with ESP in userspace, two wireguard-go, and
// the bare link. All stand at once, and the flow goes through one after the other.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Strongswan } from '../interop/harness/strongswan.ts';
import { Wayward } from '../interop/harness/wayward.ts';
import { type FlowSample, measureFlow } from './flow.ts';
import { interleaved, type Spread, spread } from './measure.ts';
import { bareLink, daemons, type Path, wireguard } from './paths.ts';
import type { Report, Table } from './report.ts';

/** What iperf3 is told to send. */
const traffic = {
  'one TCP stream': ['-t', '3'],
  // In IP packets of 1400 octets, which fit every tunnel.
  'UDP, 1372 octets of data': ['-t', '2', '-u', '-b', '0', '-l', '1372'],
  'UDP, 64 octets of data': ['-t', '2', '-u', '-b', '0', '-l', '64'],
} as const;

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
    for (const path of Object.values(ready)) await measureFlow(path, traffic['one TCP stream']);
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
  const measured = await interleaved<string, FlowSample>(
    rounds,
    Object.fromEntries(Object.entries(ready).map(([name, path]) => [name, () => measureFlow(path, options)])),
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
