// Two engines in one process, without sockets, disks or data planes: what IKE itself costs, what coming back by a ticket
// costs, and what an idle IKE SA weighs with ten thousand of them.
import { nodeRandomness } from '#crypto';
import { address } from '#sa';
import { connectionText, Host, type Kept } from './engine-host.ts';
import { spread } from './measure.ts';
import { inOwnProcess, isOwnProcess } from './own-process.ts';
import type { Report } from './report.ts';

const ikeSas = 10_000;
/** Handshakes of which each sample is the average. */
const slice = 500;

async function usedBytes(): Promise<number> {
  // Some of what is left behind goes only when the event loop turns.
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc!();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const [left, right] = [address('192.0.2.1'), address('192.0.2.2')];

function named(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `c${i}`);
}

function initiatorOf(names: readonly string[], kept?: Kept): Host {
  const all = names.map((name) => connectionText(name, left, right, [`${name}.example`, 'right.example']));
  return new Host(left, all.join(''), kept);
}

function responderOf(kept?: Kept): Host {
  return new Host(right, connectionText('any', right, left, ['right.example', '%any']), kept);
}

function start(one: Host, other: Host): void {
  one.start(other);
  other.start(one);
}

/** CPU milliseconds for each of so many. */
function cpuMsPer(count: number, work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / count;
}

function initiateAll(initiator: Host, names: readonly string[], firstId: number): void {
  for (const [i, name] of names.entries()) {
    initiator.give({ kind: 'command', id: firstId + i, command: { kind: 'initiate', child: name } });
  }
}

/** The initiator starts again with nothing but what it has stored, and its connections come back by their tickets. */
function measureResumption(): number {
  const kept = (): Kept => ({ recordKey: nodeRandomness().bytes(32), records: new Map() });
  const [own, others] = [kept(), kept()];
  const names = named(slice);
  const responder = responderOf(others);
  const before = initiatorOf(names, own);
  start(before, responder);
  initiateAll(before, names, 1);
  const after = initiatorOf(names, own);
  responder.meet(after);
  const milliseconds = cpuMsPer(slice, () => after.start(responder));
  if (after.resumed !== slice) throw new Error(`${after.resumed} of ${slice} came back by a ticket`);
  return milliseconds;
}

async function measureAll(): Promise<Report> {
  const names = named(ikeSas);
  const initiator = initiatorOf(names);
  const responder = responderOf();
  start(initiator, responder);
  const milliseconds: number[] = [];
  let before = 0;
  let counted = 0;
  for (let from = 0; from < ikeSas; from += slice) {
    const next = names.slice(from, from + slice);
    milliseconds.push(cpuMsPer(slice, () => initiateAll(initiator, next, from + 1)));
    // What is compiled and filled by the first ones is not theirs. V8 lets go of some of it only after several collections.
    if (from % (4 * slice) === 0) await usedBytes();
    if (from === 2 * slice) {
      before = await usedBytes();
      counted = initiator.established + responder.established;
    }
  }
  const all = initiator.established + responder.established;
  if (all !== 2 * ikeSas) throw new Error(`${all} of ${2 * ikeSas} IKE SAs were established`);
  const bytes = ((await usedBytes()) - before) / (all - counted);
  return {
    tables: [
      {
        title: 'PSK, X25519 without sockets, disks and data planes: CPU milliseconds of both ends together',
        rows: {
          [`the first ${slice * 4}`]: spread(milliseconds.slice(0, 4)),
          [`the last ${slice * 4} of ${ikeSas}`]: spread(milliseconds.slice(-4)),
          [`${slice} that come back by a ticket (RFC 5723), without a key exchange`]: spread(
            Array.from({ length: 4 }, measureResumption),
          ),
        },
      },
      {
        title: `bytes per idle IKE SA with its Child SA, of ${2 * ikeSas} in one process`,
        rows: { 'objects and keys': bytes },
      },
    ],
  };
}

export function engineBenchmark(): Promise<Report> {
  return inOwnProcess(import.meta.url, ['--expose-gc', '--max-old-space-size=8000']);
}

// The same file is what the other process runs.
if (isOwnProcess(import.meta.url)) console.log(JSON.stringify(await measureAll()));
