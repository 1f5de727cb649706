// One round: a tunnel with pings through it, one end is killed and started again, and the outage is measured.

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, NotSeenError } from '../harness/eventually.ts';
import { TestNetwork } from '../harness/network.ts';
import { childSas } from '../harness/peer.ts';
import { Strongswan } from '../harness/strongswan.ts';
import { Wayward } from '../harness/wayward.ts';
import { boundSockets } from './bound-sockets.ts';
import type { Contender } from './contenders.ts';
import { type GatewayLines, gatewayConfiguration } from './gateway-configuration.ts';
import { type Answer, TimedPing } from './timed-ping.ts';

export const pingIntervalMs = 20;
const capMsDefault = 30_000;
const startMsMax = 20_000;

/** Times in milliseconds. */
export interface Outage {
  /** From SIGKILL to the first answer of a ping that was sent once the process was gone; absent: none came within the cap. */
  readonly outageMs?: number;
  /** From exec to both IKE ports bound. */
  readonly startUpMs: number;
  /** From bound ports to that first answer. */
  readonly afterBoundMs?: number;
  readonly pingsLost?: number;
  /** Of those, sent after the ports were bound. */
  readonly pingsLostAfterBound?: number;
  /** What the survivor has to say about it, if it is wayward. */
  readonly why?: string;
}

type Gateway = Wayward | Strongswan;

/** @throws Error if the tunnel does not come up in the first place */
export async function measureOutage(contender: Contender): Promise<Outage> {
  const folder = await mkdtemp(join(tmpdir(), 'wayward-recovery-'));
  const network = new TestNetwork();
  const left = { ...network.wayward, id: 'left.example' };
  const right = { ...network.strongswan, id: 'right.example' };
  const survivor = gateway(contender.survivor.kind, left.namespace, join(folder, 'left'));
  const restarted = gateway(contender.restarted.kind, right.namespace, join(folder, 'right'));
  let pings: TimedPing | undefined;
  try {
    await network.create();
    await configure(survivor, gatewayConfiguration(left, right, contender.survivor), contender.survivor);
    await configure(restarted, gatewayConfiguration(right, left, contender.restarted), contender.restarted);
    await Promise.all([survivor.start(), restarted.start()]);
    await survivor.up('net');
    await eventually('both have the Child SA', async () =>
      (await Promise.all([survivor, restarted].map(childSas))).every(({ length }) => length === 1),
    );
    const path = { namespace: left.namespace, source: left.inner.IPv4, destination: right.inner.IPv4 };
    pings = new TimedPing(path, pingIntervalMs);
    await pings.answered(50, Number.NEGATIVE_INFINITY, 10_000);
    return await crash(contender, { survivor, restarted, pings, namespace: right.namespace });
  } finally {
    await pings?.end();
    await Promise.all([survivor.kill(), restarted.kill()]);
    await network.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

async function crash(
  { capMs = capMsDefault }: Contender,
  on: { survivor: Gateway; restarted: Gateway; pings: TimedPing; namespace: string },
): Promise<Outage> {
  const { survivor, restarted, pings, namespace } = on;
  const killedAt = performance.now();
  await restarted.kill();
  // A process that is being killed may still answer for a moment.
  const execAt = performance.now();
  const starting = restarted.start();
  const [boundAt] = await Promise.all([
    boundSockets(() => restarted.pid, namespace, startMsMax),
    // Whoever waits for the sockets must hear of a start that failed.
    starting,
  ]);
  const startUpMs = boundAt - execAt;
  let after: readonly Answer[];
  try {
    after = await pings.answered(10, execAt, capMs - (performance.now() - killedAt));
  } catch (error) {
    if (error instanceof NotSeenError) return { startUpMs };
    throw error;
  }
  const first = after[0]!;
  const last = pings.answers().findLast(({ sentAt }) => sentAt <= execAt);
  const why = survivor.kind === 'wayward' ? await survivor.command('why', 'last') : undefined;
  return {
    outageMs: first.receivedAt - killedAt,
    startUpMs,
    afterBoundMs: first.receivedAt - boundAt,
    ...(last === undefined ? {} : lost(last, first, boundAt)),
    ...(why === undefined ? {} : { why }),
  };
}

/** Pings between two answers are evenly spaced, as far as their sender kept its pace. */
function lost(
  last: Answer,
  first: Answer,
  boundAt: number,
): Required<Pick<Outage, 'pingsLost' | 'pingsLostAfterBound'>> {
  const pingsLost = first.sequence - last.sequence - 1;
  const paceMs = (first.sentAt - last.sentAt) / (first.sequence - last.sequence);
  const sentAfter = Math.floor((first.sentAt - boundAt) / paceMs);
  return { pingsLost, pingsLostAfterBound: Math.min(pingsLost, Math.max(0, sentAfter)) };
}

function gateway(kind: Gateway['kind'], namespace: string, folder: string): Gateway {
  return kind === 'wayward' ? new Wayward(namespace, folder) : new Strongswan(namespace, folder);
}

async function configure(to: Gateway, text: string, lines: GatewayLines): Promise<void> {
  await mkdir(to.folder, { recursive: true });
  if (lines.charon !== undefined) await writeFile(join(to.folder, 'charon.conf'), lines.charon);
  let all = text;
  if (lines.recordKey === true) {
    const key = join(to.folder, 'record.key');
    await writeFile(key, randomBytes(32), { mode: 0o600 });
    await chmod(key, 0o600);
    all += `wayward {\n  record_key = record.key\n}\n`;
  }
  await writeFile(join(to.folder, 'swanctl.conf'), all);
}
