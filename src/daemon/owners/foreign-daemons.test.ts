// Daemons of other makers are known by the names of their processes, here and not elsewhere.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { foreignDaemons } from './foreign-daemons.ts';

test('a process called charon is found beside us, and not in another network namespace', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'charon');
  copyFileSync(execFileSync('which', ['sleep'], { encoding: 'utf8' }).trim(), program);
  const namespace = `wwfd-${process.pid}`;
  execFileSync('ip', ['netns', 'add', namespace]);
  t.after(() => execFileSync('ip', ['netns', 'del', namespace]));
  const here = spawn(program, ['60']);
  const elsewhere = spawn('ip', ['netns', 'exec', namespace, program, '60']);
  t.after(() => {
    here.kill('SIGKILL');
    elsewhere.kill('SIGKILL');
  });
  // `ip` has become the program when its own child process would be found in our namespace no longer.
  for (let tries = 0; tries < 2_400; tries++) {
    const found = foreignDaemons().map(({ pid }) => pid);
    const comm = execFileSync('cat', [`/proc/${elsewhere.pid}/comm`], { encoding: 'utf8' }).trim();
    if (found.includes(here.pid!) && comm === 'charon') break;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const found = foreignDaemons();
  assert.ok(found.some(({ pid, name }) => pid === here.pid && name === 'charon'));
  assert.ok(!found.some(({ pid }) => pid === elsewhere.pid));
});
