// Packets per second that one gateway seals, and that one opens, with one packet thread and with several; what threads hand to
// each other, and what a further one takes of the memory. Nobody is at the other end of the tunnel, who would want the same
// processors.
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Encr, Integ } from '#sa';
import { Gateway, type SuiteKeys } from './gateway.ts';
import { cpuSeconds, interleaved, spread } from './measure.ts';
import type { Report, Table } from './report.ts';

const aes128gcm16: SuiteKeys = { encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, keyBytes: 20 } };
const suites: Readonly<Record<string, SuiteKeys>> = {
  aes128gcm16,
  chacha20poly1305: { encryption: { id: Encr.CHACHA20_POLY1305, keyLengthBits: 256, keyBytes: 36 } },
  'aes128-sha256': {
    encryption: { id: Encr.AES_CBC, keyLengthBits: 128, keyBytes: 16 },
    integrity: { id: Integ.HMAC_SHA2_256_128, keyBytes: 32 },
  },
};
/** More than two want as many processors. */
const threadCounts = [1, 2, 3, 4].filter((threads) => threads <= Math.max(2, cpus().length));
const idleThreadCounts = [1, 2, 3] as const;
const ways = { seal: 'sealed', open: 'opened' } as const;
type Way = keyof typeof ways;
const sampleSeconds = 3;
const settlingMs = 1_000;

interface Sample {
  readonly thousandsPerSecond: number;
  readonly cpuMicroseconds: number;
  readonly offered: number;
  readonly handedOver: number;
  readonly handedOverShare: number;
  readonly handOverOverflow: number;
}

async function sample(gateway: Gateway, way: Way): Promise<Sample> {
  const [before, cpuBefore] = [await gateway.verdicts(), cpuSeconds([gateway.pid])];
  const { seconds, datagrams, datagramsOfRun } = await gateway.load(way, sampleSeconds);
  const cpu = cpuSeconds([gateway.pid]) - cpuBefore;
  const after = await gateway.verdicts();
  const counted = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
  const packets = counted(ways[way]);
  if (packets === 0) throw new Error(`nothing was ${ways[way]}: ${JSON.stringify(after)}`);
  const [handedOver, overflow] = [counted('handed-over'), counted('hand-over-overflow')];
  return {
    thousandsPerSecond: packets / seconds / 1000,
    cpuMicroseconds: (cpu * 1e6) / packets,
    offered: datagrams / packets,
    handedOver: handedOver / seconds,
    handedOverShare: handedOver / (packets / datagramsOfRun + overflow),
    handOverOverflow: overflow / seconds,
  };
}

/** Of one that has nothing to do. */
async function residentMebibytes(threads: number): Promise<number> {
  const gateway = await Gateway.start(threads, aes128gcm16);
  try {
    await sleep(settlingMs);
    const status = readFileSync(`/proc/${gateway.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  } finally {
    await gateway.stop();
  }
}

async function memoryTable(rounds: number): Promise<Table> {
  const contenders = Object.fromEntries(
    idleThreadCounts.map((threads) => [String(threads), () => residentMebibytes(threads)]),
  );
  const measured = await interleaved(rounds, contenders);
  const of = (threads: number) => spread(measured[threads]!);
  return {
    title: 'resident memory of an idle gateway, MiB',
    rows: {
      ...Object.fromEntries(idleThreadCounts.map((threads) => [named(threads), of(threads)])),
      'a further thread': (of(3).median - of(1).median) / 2,
    },
  };
}

function named(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}

type Measured = Readonly<Record<string, readonly Sample[]>>;

function tablesOf(way: Way, measured: Measured): Table[] {
  const done = ways[way];
  const of = (suite: string, threads: number) => measured[`${way} ${suite} ${threads}`]!;
  const table = (title: string, key: keyof Sample, counts = threadCounts): Table => ({
    title,
    rows: Object.fromEntries(
      Object.keys(suites).flatMap((suite) =>
        counts.map((threads) => [
          `${suite}, ${named(threads)}`,
          spread(of(suite, threads).map((one) => one[key])),
        ]),
      ),
    ),
  });
  const further = threadCounts.slice(1);
  const speed = (suite: string, threads: number): number =>
    spread(of(suite, threads).map((one) => one.thousandsPerSecond)).median;
  const tables = [
    table(`thousands of packets ${done} per second`, 'thousandsPerSecond'),
    {
      title: `packets ${done} per second, to those of one thread`,
      rows: Object.fromEntries(
        Object.keys(suites).flatMap((suite) =>
          further.map((threads) => [`${suite}, ${named(threads)}`, speed(suite, threads) / speed(suite, 1)]),
        ),
      ),
    },
    table(`CPU microseconds of the gateway for a packet ${done}`, 'cpuMicroseconds'),
    table(`packets sent to the gateway for each that it ${done}; with 1 it had no more to do`, 'offered'),
  ];
  // The kernel brings what is to be opened to the thread that opens it.
  if (way === 'open') return tables;
  return [
    ...tables,
    table('records handed to another thread per second, of flows without answers', 'handedOver', further),
    table('their share of all records that were read', 'handedOverShare', further),
    table('of them without room there per second', 'handOverOverflow', further),
  ];
}

/** Needs root and nftables. */
export async function threadsBenchmark(rounds: number): Promise<Report> {
  const memory = await memoryTable(rounds);
  const gateways: Gateway[] = [];
  try {
    const contenders: Record<string, () => Promise<Sample>> = {};
    for (const [suite, keys] of Object.entries(suites)) {
      for (const threads of threadCounts) {
        const gateway = await Gateway.start(threads, keys);
        gateways.push(gateway);
        for (const way of ['seal', 'open'] as const)
          contenders[`${way} ${suite} ${threads}`] = () => sample(gateway, way);
      }
    }
    // Until everything is compiled.
    await interleaved(1, contenders);
    const measured = await interleaved(rounds, contenders);
    return { tables: [...tablesOf('seal', measured), ...tablesOf('open', measured), memory] };
  } finally {
    for (const gateway of gateways) await gateway.stop();
  }
}
