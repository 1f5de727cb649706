// One TCP stream between two namespaces: through two wayward daemons, two strongSwan with ESP in userspace, two
// wireguard-go, and the bare link. All stand at once, and the stream goes through one after the other.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunningProcess, runProgram } from '../interop/harness/processes.ts';
import { Strongswan } from '../interop/harness/strongswan.ts';
import { Wayward } from '../interop/harness/wayward.ts';
import { type Spread, spread } from './measure.ts';
import { bareLink, daemons, type Path, wireguard } from './paths.ts';

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
