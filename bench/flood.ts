// An established tunnel while strangers send ESP with unknown SPIs to the same socket: what the tunnel still carries, beside
// what it carries while the same packets go nowhere, and how many of them its end takes per second of CPU time.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packetFlood } from '../interop/harness/paths.ts';
import { runProgram } from '../interop/harness/processes.ts';
import { Strongswan } from '../interop/harness/strongswan.ts';
import { Wayward } from '../interop/harness/wayward.ts';
import { measureFlow } from './flow.ts';
import { cpuSeconds, interleaved, spread } from './measure.ts';
import { type DaemonPath, daemons } from './paths.ts';
import type { Report } from './report.ts';

const packetsPerSecond = 200_000;
/** As many as there can be. */
const unlimited = 10_000_000;
const stream = ['-t', '3'];
const floodSeconds = 5;
/** In the receiver's namespace, where all that is sent to it disappears. */
const nowhere = '10.99.3.1';

interface Flood {
  readonly sentPerSecond: number;
}

/** From the sender's side of the link, with sources that nobody knows. */
async function flood(path: DaemonPath, destination: string, rate: number): Promise<Flood> {
  const words = [destination, String(rate), String(floodSeconds), '1', 'esp-in-udp'];
  const output = await runProgram([process.execPath, packetFlood, ...words], {
    namespace: path.network.wayward.namespace,
    timeoutMs: 30_000,
  });
  const { seconds, sent } = JSON.parse(output) as { seconds: number; sent: Record<string, number> };
  return { sentPerSecond: Object.values(sent).reduce((sum, count) => sum + count, 0) / seconds };
}

/** Its packets cross the link like all others, and end there. */
async function makeNowhere({ network }: DaemonPath): Promise<void> {
  const ip = (namespace: string, ...words: string[]) => runProgram(['ip', '-n', namespace, ...words]);
  const right = network.strongswan.namespace;
  const [device] = JSON.parse(await ip(right, '-j', 'link', 'show', 'eth0')) as [{ address: string }];
  await ip(right, 'route', 'add', 'blackhole', `${nowhere}/32`);
  const neighbour = ['neigh', 'add', nowhere, 'lladdr', device.address, 'dev', 'eth0'];
  await ip(network.wayward.namespace, ...neighbour);
}

interface Sample {
  readonly mbits: number;
  readonly sentPerSecond: number;
}

async function streamBeside(path: DaemonPath, destination: string): Promise<Sample> {
  const flooding = flood(path, destination, packetsPerSecond);
  // The flood has to start a process, too.
  await new Promise((resolve) => setTimeout(resolve, 700));
  const { mbits } = await measureFlow(path, stream);
  return { mbits, ...(await flooding) };
}

interface Absorbed {
  readonly perCpuSecond: number;
  readonly perSecond: number;
}

/** Nothing but the flood. */
async function absorbed(path: DaemonPath, end: Wayward): Promise<Absorbed> {
  // The kernel throws most of them away for wayward, which counts those by its sample.
  const read = async (): Promise<number> => {
    const { verdicts } = await end.status();
    return (verdicts['unknown-spi'] ?? 0) + (verdicts['unknown-spi-filtered'] ?? 0);
  };
  const [before, cpuBefore] = [await read(), cpuSeconds([end.pid!])];
  await flood(path, path.network.strongswan.outer.IPv4, unlimited);
  const cpu = cpuSeconds([end.pid!]) - cpuBefore;
  // Counters are told a little later.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const packets = (await read()) - before;
  return { perCpuSecond: packets / cpu, perSecond: packets / floodSeconds };
}

/** Needs root, strongSwan and iperf3. */
export async function floodBenchmark(rounds: number): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'wayward-bench-'));
  const paths: DaemonPath[] = [];
  try {
    const wayward = await daemons(Wayward, join(folder, 'wayward'));
    paths.push(wayward);
    const charon = await daemons(Strongswan, join(folder, 'strongswan'));
    paths.push(charon);
    for (const path of paths) await makeNowhere(path);
    const beside = (path: DaemonPath, destination: string) => () => streamBeside(path, destination);
    const contenders = {
      'wayward, flood elsewhere': beside(wayward, nowhere),
      'wayward, flooded': beside(wayward, wayward.network.strongswan.outer.IPv4),
      'kernel-libipsec, flood elsewhere': beside(charon, nowhere),
      'kernel-libipsec, flooded': beside(charon, charon.network.strongswan.outer.IPv4),
    };
    for (const path of paths) await measureFlow(path, stream);
    await absorbed(wayward, wayward.ends[1] as Wayward);
    const measured = await interleaved(rounds, contenders);
    const alone = await interleaved(rounds, {
      flood: () => absorbed(wayward, wayward.ends[1] as Wayward),
    });
    const of = (key: keyof Sample) =>
      Object.fromEntries(
        Object.entries(measured).map(([name, samples]) => [name, spread(samples.map((one) => one[key]))]),
      );
    const mbits = of('mbits');
    const median = (name: keyof typeof contenders): number => mbits[name]!.median;
    return {
      tables: [
        { title: 'one TCP stream, Mbit/s at the receiver', rows: mbits },
        { title: 'packets of the flood sent per second', rows: of('sentPerSecond') },
        {
          title: 'goodput kept under the flood',
          rows: {
            wayward: median('wayward, flooded') / median('wayward, flood elsewhere'),
            'kernel-libipsec':
              median('kernel-libipsec, flooded') / median('kernel-libipsec, flood elsewhere'),
            'wayward to kernel-libipsec, both flooded':
              median('wayward, flooded') / median('kernel-libipsec, flooded'),
          },
        },
        {
          title: 'nothing but a flood as fast as it can be sent: packets with unknown SPIs that wayward took',
          rows: {
            'per second': spread(alone.flood.map((one) => one.perSecond)),
            'per second of its CPU time': spread(alone.flood.map((one) => one.perCpuSecond)),
          },
        },
      ],
    };
  } finally {
    for (const path of paths) await path.stop();
    await rm(folder, { recursive: true });
  }
}
