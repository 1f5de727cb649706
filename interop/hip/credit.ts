// A peer that has moved and cannot yet be verified is sent no more than it has sent (RFC 8046 5.6).
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Capture, readWithKeys } from '../harness/capture.ts';
import { eventually } from '../harness/eventually.ts';
import { runProgram } from '../harness/processes.ts';
import type { HipHost } from './hip-host.ts';
import type { HipStage } from './hip-stage.ts';

const sizes = { pingsBefore: 40, octets: 1_000, floodMs: 3_000, intervalSeconds: 0.01 } as const;

/** @param move gives a host another address. @returns what was measured */
export async function spendCredit(
  stage: HipStage,
  move: (host: HipHost) => Promise<string>,
): Promise<{ readonly received: number; readonly sent: number; readonly dropped: number }> {
  const { left, right } = stage;
  const inLeft = (...words: string[]): Promise<string> => runProgram(words, { namespace: left.namespace });
  const path = join(stage.folder, 'right.pcap');
  const capture = await Capture.start(right.namespace, path);
  await stage.start();
  await left.hip('up', 'right');
  await stage.agreed();
  const { source, destination } = stage.path(left, 'HIT');
  const count = String(sizes.pingsBefore);
  await inLeft(
    'ping',
    '-n',
    '-q',
    '-c',
    count,
    '-i',
    '0.02',
    '-s',
    String(sizes.octets),
    '-I',
    source,
    destination,
  );

  // Right's question, which is HIP, does not arrive; its packets do, and are not answered.
  const hook = '{ type filter hook input priority 0; }';
  await inLeft(
    'nft',
    `add table inet t; add chain inet t in ${hook}; add rule inet t in meta l4proto 139 drop`,
  );
  await inLeft('sysctl', '-q', '-w', 'net.ipv6.icmp.echo_ignore_all=1');
  const moved = await move(left);
  await eventually('right sends to the new address', async () => {
    const association = await right.association();
    return association?.path.remote.address === moved;
  });
  const before = await right.status();
  const flood = ['ping', '-n', '-q', '-i', String(sizes.intervalSeconds), '-s', String(sizes.octets)];
  const flooding = stage.run(right, ...flood, '-I', destination, source);
  await pause(sizes.floodMs);
  await flooding.end('SIGINT');
  const after = await right.status();
  await pause(300);
  await capture.stop();
  const octets = async (filter: string): Promise<number> => {
    const lengths = await readWithKeys(path, undefined, `esp && ${filter}`, ['ip.len']);
    return lengths.reduce((sum, [length]) => sum + Number(length), 0);
  };
  const received = await octets(`ip.dst == ${stage.outer(right)}`);
  const sent = await octets(`ip.dst == ${moved}`);
  const dropped = (after.verdicts['no-credit'] ?? 0) - (before.verdicts['no-credit'] ?? 0);

  // The question arrives, and is answered: nothing is held back any more.
  await inLeft('nft', 'delete table inet t');
  await inLeft('sysctl', '-q', '-w', 'net.ipv6.icmp.echo_ignore_all=0');
  const pings = stage.keepPinging(right, 'HIT');
  await pings.answers(20);
  const all = await right.status();
  await pings.answers(20);
  assert.equal((await right.status()).verdicts['no-credit'], all.verdicts['no-credit']);
  return { received, sent, dropped };
}
