// An Internet scanner against the running daemon, and what became of each of its packets.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { DaemonStatus } from '#daemon';
import { eventually } from './eventually.ts';
import { packetFlood } from './paths.ts';
import { runProgram } from './processes.ts';
import type { Stage } from './stage.ts';

export interface ScannerOptions {
  /** Packets per second. */
  readonly rate: number;
  readonly seconds: number;
}

export interface ScannerResult {
  readonly wanted: ScannerOptions;
  /** Packets per second that were sent. */
  readonly rate: number;
  readonly seconds: number;
  readonly sent: number;
  readonly sentByKind: Readonly<Record<string, number>>;
  /** Packets that the daemon read, by what became of them. */
  readonly read: Readonly<Record<string, number>>;
  /** Packets that found no room in a socket of the daemon. */
  readonly socketOverflow: number;
  /** Packets that the kernel dropped between the cable and the sockets. */
  readonly kernelDrops: number;
  /** Sent, but neither read nor dropped as far as anybody knows. */
  readonly unaccounted: number;
  /** IKE datagrams that reached the engine, and those that it counted with a reason. */
  readonly engine: { readonly given: number; readonly counted: number };
  /** IKE datagrams of the peer. */
  readonly ofPeers: number;
  readonly pings: { readonly answered: number; readonly lost: number };
  readonly logLines: readonly string[];
  readonly cpuSeconds: number;
  readonly residentMib: { readonly begin: number; readonly end: number; readonly peak: number };
  /** The least that was seen in the first and in the last third of the flood: what collections of garbage leave. */
  readonly heapMib: { readonly begin: number; readonly end: number };
  readonly packetThreadHeapMib: { readonly begin: number; readonly end: number };
}

/** What the kernel filters in a flood is counted by a sample of it: this part of it may be missing, or too much. */
const filteredVerdict = 'unknown-spi-filtered';
const sampleError = 0.05;

/** What became of packets that were nobody's. */
const strangeVerdicts = [
  ...['unknown-spi', filteredVerdict, 'bad-length', 'malformed', 'not-esp', 'keepalive', 'unaddressed'],
  ...['ike-of-strangers', 'ike-refused'],
];

interface FloodReport {
  readonly seconds: number;
  readonly sent: Readonly<Record<string, number>>;
}

const mib = (bytes: number | undefined): number => Math.round((bytes ?? 0) / 2 ** 20);

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Establishes a tunnel, and floods wayward from the peer's side of the cable while a ping goes through the tunnel. */
export async function sufferScanner(stage: Stage, options: ScannerOptions): Promise<ScannerResult> {
  const { wayward, network } = stage;
  wayward.logLevel = 'info';
  // It would take the time that the daemon needs.
  await stage.stopCapture();
  const { namespace } = network.wayward;
  await runProgram(
    ['sysctl', '-q', '-w', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.eth0.rp_filter=0'],
    {
      namespace,
    },
  );
  await runProgram(['ip', '-n', namespace, 'route', 'add', 'default', 'via', network.strongswan.outer.IPv4]);
  await stage.establish('net');
  const pings = stage.keepPinging('strongswan');
  await pings.answers(10);

  // Everything that only happens once has happened.
  await flood(stage, { rate: 2_000, seconds: 0.5 });
  const before = await settledStatus(stage);
  const dropsBefore = await kernelDrops(namespace);
  const cpuBefore = await cpuSeconds(wayward.pid);
  const logBefore = (await wayward.log()).length;

  const seen: DaemonStatus[] = [];
  const watching = setInterval(() => {
    wayward.status().then(
      (status) => seen.push(status),
      () => undefined,
    );
  }, 1_000);
  const main = await flood(stage, options).finally(() => clearInterval(watching));
  const logLines = (await wayward.log()).slice(logBefore).split('\n').filter(Boolean);
  const cpu = (await cpuSeconds(wayward.pid)) - cpuBefore;
  // The kernel tells of drops with the next packet of each socket.
  const last = await flood(stage, { rate: 500, seconds: 0.4 });
  const after = await settledStatus(stage);
  const { answered, lost } = await pings.stop();

  const grown = (name: string): number => (after.verdicts[name] ?? 0) - (before.verdicts[name] ?? 0);
  const read = Object.fromEntries(strangeVerdicts.map((name) => [name, grown(name)]));
  const sent = sum(main.sent) + sum(last.sent);
  const dropped = (await kernelDrops(namespace)) - dropsBefore;
  const counted = (status: DaemonStatus): number =>
    Object.entries(status.engine.counts)
      .filter(([name]) => /^(datagram-ignored|cookie-demanded|hint)/.test(name))
      .reduce((total, [, count]) => total + count, 0);
  const begin = seen[Math.floor(seen.length / 3)] ?? before;
  return {
    wanted: options,
    rate: sum(main.sent) / main.seconds,
    seconds: main.seconds,
    sent,
    sentByKind: main.sent,
    read,
    socketOverflow: grown('socket-overflow'),
    kernelDrops: dropped,
    unaccounted: sent - sum(read) - grown('socket-overflow') - dropped,
    engine: { given: grown('ike-of-strangers'), counted: counted(after) - counted(before) },
    ofPeers: grown('ike-of-peers'),
    pings: { answered, lost },
    logLines,
    cpuSeconds: cpu,
    residentMib: {
      begin: mib(begin.memory.residentBytes),
      end: mib(after.memory.residentBytes),
      peak: mib(Math.max(...seen.map(({ memory }) => memory.residentBytes), after.memory.residentBytes)),
    },
    heapMib: floors(seen, ({ heapBytes }) => heapBytes),
    packetThreadHeapMib: floors(seen, ({ packetThreadHeapBytes }) => packetThreadHeapBytes ?? 0),
  };
}

/** The garbage collector takes its time while there is memory. */
const residentGrowthMibMax = 96;
const heapGrowthMibMax = 48;

function floors(
  seen: readonly DaemonStatus[],
  bytesOf: (memory: DaemonStatus['memory']) => number,
): { readonly begin: number; readonly end: number } {
  const third = Math.max(1, Math.floor(seen.length / 3));
  const least = (some: readonly DaemonStatus[]): number =>
    mib(Math.min(...some.map(({ memory }) => bytesOf(memory))));
  return { begin: least(seen.slice(0, third)), end: least(seen.slice(-third)) };
}

/** @throws AssertionError if the flood did any harm, or if a packet is missing */
export function assertHarmless(result: ScannerResult): void {
  const { pings, sent, socketOverflow, kernelDrops: dropped, logLines, seconds, residentMib } = result;
  const told = JSON.stringify(result, undefined, 2);
  // The tunnel's own packets may be among the drops: no more than the pings that were lost, and their answers.
  const missing = result.unaccounted;
  const slack = (result.read[filteredVerdict] ?? 0) * sampleError;
  assert.ok(missing <= slack && missing >= -slack - 2 * pings.lost, `packets are missing:\n${told}`);
  const { given, counted } = result.engine;
  assert.ok(
    counted >= given && counted <= given + result.ofPeers,
    `IKE datagrams without a reason:\n${told}`,
  );
  // What the kernel drops for want of room or time, it drops of the tunnel's packets too: twice, for both ways of a ping.
  const dropShare = (socketOverflow + dropped) / sent;
  const lostMax = 5 + (pings.answered + pings.lost) * Math.min(1, 2 * dropShare + 0.05);
  assert.ok(pings.lost <= lostMax, `${pings.lost} pings were lost:\n${told}`);
  assert.ok(logLines.length <= seconds + 2, `the log says more than a line a second:\n${told}`);
  assert.ok(
    residentMib.end - residentMib.begin <= residentGrowthMibMax,
    `memory grows by more than ${residentGrowthMibMax} MiB:\n${told}`,
  );
  for (const { begin, end } of [result.heapMib, result.packetThreadHeapMib]) {
    assert.ok(end - begin <= heapGrowthMibMax, `a heap grows by more than ${heapGrowthMibMax} MiB:\n${told}`);
  }
}

async function flood(stage: Stage, { rate, seconds }: ScannerOptions): Promise<FloodReport> {
  const { wayward, strongswan } = stage.network;
  const words = [wayward.outer.IPv4, rate, seconds, 1 + Math.floor(rate)].map(String);
  const output = await runProgram([process.execPath, packetFlood, ...words], {
    namespace: strongswan.namespace,
    timeoutMs: seconds * 1_000 + 30_000,
  });
  return JSON.parse(output);
}

/** Once nothing is on its way any more. */
async function settledStatus(stage: Stage): Promise<DaemonStatus> {
  let last = '';
  return eventually('the counters come to rest', async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const status = await stage.wayward.status();
    const counts =
      strangeVerdicts.map((name) => status.verdicts[name]).join() + JSON.stringify(status.engine.counts);
    const rested = counts === last;
    last = counts;
    return rested ? status : undefined;
  });
}

/** Of the device, and of IP. */
async function kernelDrops(namespace: string): Promise<number> {
  const [{ stats64 }] = JSON.parse(
    await runProgram(['ip', '-j', '-s', '-n', namespace, 'link', 'show', 'dev', 'eth0']),
  );
  const snmp = await runProgram(['cat', '/proc/net/snmp'], { namespace });
  const [names = '', values = ''] = snmp.split('\n').filter((line) => line.startsWith('Ip:'));
  const ip = Object.fromEntries(names.split(' ').map((name, i) => [name, Number(values.split(' ')[i])]));
  return stats64.rx.dropped + (ip['InDiscards'] ?? 0) + (ip['InHdrErrors'] ?? 0) + (ip['InAddrErrors'] ?? 0);
}

/** User and system time of a process, all threads. */
async function cpuSeconds(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
