// What a daemon makes of the registry and of foreign daemons: claims it keeps, ownership it tells, lines it logs.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Log } from '../logs/log.ts';
import { SpiOwners } from './spi-owners.ts';

let names = 0;

interface Kept {
  octets: Uint8Array | undefined;
}

async function daemon(
  t: TestContext,
  path: string,
  name: string,
  kept: Kept = { octets: undefined },
): Promise<{ readonly owners: SpiOwners; readonly lines: string[] }> {
  const lines: string[] = [];
  const owners = new SpiOwners({
    name,
    log: new Log('info', { write: (line) => lines.push(line) }),
    kept: kept.octets,
    keep: (octets) => {
      kept.octets = octets;
    },
    changed: () => undefined,
    path,
  });
  await owners.start();
  t.after(() => owners.stop());
  return { owners, lines };
}

function freshPath(): string {
  return `\0wayward-spi-owners-test-${process.pid}-${++names}`;
}

test('a daemon says nothing of others before it runs, and then what there is to say', async (t) => {
  const path = freshPath();
  await daemon(t, path, '/first');
  const { owners, lines } = await daemon(t, path, '/second');
  assert.deepEqual(lines, []);
  owners.announce();
  assert.match(lines[0]!, /32 of 256 blocks of SPIs are leased to this daemon/);
  assert.match(lines[1]!, /keying daemon \/first runs on this host: its SPIs are left to it/);
  const { registry } = owners.status();
  assert.deepEqual(registry, { serving: false, blocks: 32, others: [{ name: '/first', crashed: false }] });
  assert.equal(owners.ownership.answersUnclaimed, false);
  assert.equal(owners.ownership.others[0]?.blocks.length, 32);
});

test('when all daemons died at once, each has its blocks again', async (t) => {
  const kept: Kept = { octets: undefined };
  const before = await daemon(t, freshPath(), '/one', kept);
  const { blocks } = before.owners.claims;
  assert.equal(blocks.length, 32);
  // Another registry: nobody is left who remembers.
  const after = await daemon(t, freshPath(), '/one', kept);
  assert.deepEqual(after.owners.claims.blocks, blocks);
  const torn = await daemon(t, freshPath(), '/one', { octets: kept.octets!.subarray(0, 20) });
  assert.equal(torn.owners.claims.blocks.length, 32);
});

test('beside a process called charon nothing is sure, and the log says what follows', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'charon');
  copyFileSync(execFileSync('which', ['sleep'], { encoding: 'utf8' }).trim(), program);
  const charon = spawn(program, ['60']);
  t.after(() => charon.kill('SIGKILL'));
  await once(charon, 'spawn');
  const { owners, lines } = await daemon(t, freshPath(), '/one');
  owners.announce();
  assert.equal(owners.ownership.unreadable, true);
  assert.ok(owners.status().unreadable.some(({ pid }) => pid === charon.pid));
  const line = new RegExp(
    `charon \\(process ${charon.pid}\\) holds SPIs that cannot be read: native ESP and AH`,
  );
  assert.match(lines.join('\n'), line);
});
