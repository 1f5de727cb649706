// A flood of I1 and of bogus I2 at a host with an established association, and what it costs that.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { DaemonStatus } from '#daemon';
import { runProgram } from '../harness/processes.ts';
import { HipStage } from './hip-stage.ts';

const floodProgram = fileURLToPath(new URL('./flood-program.js', import.meta.url));
/** On the attacker's side, and nobody's HIP. */
const attacker = '10.99.66.6';
/** From before the first of the measured floods to after the last. */
const residentGrowthMibMax = 24;
/** Of a flood's packets, sent once before anything is measured. */
const warmUpShare = 0.3;

export const floodKinds = ['i1', 'i2-stale', 'i2-unsolved'] as const;

export interface FloodOptions {
  readonly packets: number;
  /** Packets per second. */
  readonly rate: number;
}

export interface FloodResult {
  readonly kind: string;
  readonly sent: number;
  readonly seconds: number;
  /** What the packet thread did with them. */
  readonly handedOver: number;
  readonly refused: number;
  /** What the engine counted, by reason. */
  readonly counted: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
  readonly pings: {
    readonly answered: number;
    readonly lost: number;
    readonly msMedian: number;
    readonly ms99: number;
    readonly msMax: number;
  };
  readonly residentMib: { readonly begin: number; readonly end: number };
  readonly heapMib: { readonly begin: number; readonly end: number };
}

/** User and system time of a process, all threads. */
async function cpuSeconds(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** Left is flooded from the right host's side of the cable, while right pings it by HIT. */
export async function sufferHipFlood(options: FloodOptions): Promise<readonly FloodResult[]> {
  const stage = await HipStage.prepare({ family: 'IPv4' });
  try {
    const { left, right } = stage;
    left.logLevel = 'info';
    right.logLevel = 'info';
    const sysctls = ['all', 'eth0'].map((name) => `net.ipv4.conf.${name}.rp_filter=0`);
    await runProgram(['sysctl', '-q', '-w', ...sysctls], { namespace: left.namespace });
    await stage.ip(left, 'route', 'add', 'default', 'via', stage.outer(right));
    await stage.ip(right, 'address', 'add', `${attacker}/16`, 'dev', 'eth0');
    await stage.start();
    await right.hip('up', 'left');
    await stage.agreed();
    // What happens once only, code compiled and a young generation of full size, has happened after these.
    const fewer = { ...options, packets: Math.ceil(options.packets * warmUpShare) };
    for (const kind of floodKinds) await flood(stage, kind, fewer);
    const results: FloodResult[] = [];
    for (const kind of floodKinds) results.push(await flood(stage, kind, options));
    return results;
  } finally {
    await stage.close();
  }
}

async function flood(stage: HipStage, kind: string, { packets, rate }: FloodOptions): Promise<FloodResult> {
  const { left, right } = stage;
  const before = await left.status();
  const cpuBefore = await cpuSeconds(left.pid);
  const { source, destination, namespace } = stage.path(right, 'HIT');
  const ping = stage.run(right, 'ping', '-n', '-i', '0.02', '-I', source, destination);
  const words = [kind, packets, rate, attacker, stage.outer(left), left.hit].map(String);
  const output = await runProgram([process.execPath, floodProgram, ...words], {
    namespace,
    timeoutMs: (packets / rate) * 5_000 + 60_000,
  });
  const { sent, seconds }: { sent: number; seconds: number } = JSON.parse(output);
  await ping.end('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = await left.status();
  const grown = (name: string): number => (after.verdicts[name] ?? 0) - (before.verdicts[name] ?? 0);
  const times = [...ping.output.matchAll(/icmp_seq=(\d+) .*time=([\d.]+)/g)];
  const ms = times.map(([, , time]) => Number(time)).sort((one, other) => one - other);
  const last = Math.max(0, ...times.map(([, sequence]) => Number(sequence)));
  return {
    kind,
    sent,
    seconds,
    handedOver: grown('hip-of-strangers') + grown('hip-of-peers'),
    refused: grown('hip-refused') + grown('socket-overflow'),
    counted: countsOf(after, before),
    cpuSeconds: (await cpuSeconds(left.pid)) - cpuBefore,
    pings: {
      answered: ms.length,
      lost: last - ms.length,
      msMedian: ms[Math.floor(ms.length / 2)] ?? Number.NaN,
      ms99: ms[Math.floor(ms.length * 0.99)] ?? Number.NaN,
      msMax: ms.at(-1) ?? Number.NaN,
    },
    residentMib: { begin: mib(before.memory.residentBytes), end: mib(after.memory.residentBytes) },
    heapMib: { begin: mib(before.memory.heapBytes), end: mib(after.memory.heapBytes) },
  };
}

function countsOf(after: DaemonStatus, before: DaemonStatus): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after.engine.counts)
      .filter(([name]) => name.startsWith('hip'))
      .map(([name, count]) => [name, count - (before.engine.counts[name] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
}

/** @throws AssertionError if it did any harm */
export function assertHipFloodHarmless(results: readonly FloodResult[], pingMsMax: number): void {
  const [first] = results;
  const grown = results.at(-1)!.residentMib.end - first!.residentMib.begin;
  const memory = results.map(({ kind, residentMib, heapMib }) => ({ kind, residentMib, heapMib }));
  assert.ok(grown <= residentGrowthMibMax, `memory grows by ${grown} MiB: ${JSON.stringify(memory)}`);
  for (const result of results) {
    const told = JSON.stringify(result, undefined, 2);
    const { pings, counted } = result;
    assert.ok(
      pings.answered > 0 && pings.ms99 <= pingMsMax,
      `pings take longer than ${pingMsMax} ms:\n${told}`,
    );
    assert.ok(pings.lost <= 2, `${pings.lost} pings were lost:\n${told}`);
    for (const reason of ['mac', 'signature', 'host-identity'])
      assert.equal(
        counted[`hip-rejected ${reason}`] ?? 0,
        0,
        `something dear was done for a stranger:\n${told}`,
      );
  }
}
