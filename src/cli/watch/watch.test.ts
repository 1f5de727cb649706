import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, folder, WaywardProcess, wayward, waywardCommand } from '../testing/wayward-process.ts';

test('wayward watch without a terminal is one picture without colours; in one it lives until q and leaves it as it was', {
  skip: existsSync('/usr/bin/script') ? false : 'needs script(1) for a terminal',
}, async (t) => {
  const demo = new WaywardProcess(t, ['demo', '--socket', join(folder(t), 'control')]);
  const [, socket = ''] = await demo.printed(/wayward watch --socket (\S+)/);
  await demo.printed(/left +\| \d+ pings sent, [1-9]\d* answered/);
  const once = await wayward(t, ['watch', '--socket', socket]);
  assert.equal(once.status, 0);
  assert.match(once.out, /^wayward left \d[\s\S]*TUNNELS 1[\s\S]*demo 10\.2\.0\.0\/24/);
  assert.ok(!once.out.includes('\u001b'));

  const command = `stty rows 24 cols 80; ${process.execPath} ${waywardCommand} watch --socket ${socket}`;
  const terminal = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm-256color', NO_COLOR: '' },
  });
  t.after(() => terminal.kill('SIGKILL'));
  let shown = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const until = async (pattern: RegExp): Promise<void> => {
    await eventually(() => pattern.test(shown) || undefined).catch(() => assert.match(shown, pattern));
  };
  await until(/demo 10\.2\.0\.0\/24/);
  await until(/\[24;1H.* q .*quit/);
  terminal.stdin.write('p');
  await until(/paused/);
  terminal.stdin.write('q');
  const status = await new Promise((resolve) => terminal.once('exit', resolve));
  assert.equal(status, 0);
  assert.ok(shown.startsWith('\u001b[?1049h\u001b[?25l'));
  assert.ok(shown.endsWith('\u001b[?25h\u001b[?1049l'));
});

test('a terminal that goes away ends it as it ends any program', {
  skip: existsSync('/usr/bin/script') ? false : 'needs script(1) for a terminal',
}, async (t) => {
  const place = folder(t);
  const ended = join(place, 'ended');
  const words = `${process.execPath} ${waywardCommand} watch --socket ${join(place, 'control')}`;
  const terminal = spawn(
    '/usr/bin/script',
    ['-qefc', `stty rows 24 cols 80; trap : HUP; ${words}; echo $? > ${ended}`, '/dev/null'],
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, TERM: 'xterm-256color', SHELL: '/bin/sh' } },
  );
  t.after(() => terminal.kill('SIGKILL'));
  let shown = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  for (let i = 0; i < 300 && !shown.includes('quit'); i++) await sleep(100);
  assert.match(shown, /quit/);
  terminal.kill('SIGKILL');
  for (let i = 0; i < 300 && !existsSync(ended); i++) await sleep(100);
  assert.equal(readFileSync(ended, 'utf8'), '129\n');
});

test('q leaves a terminal as it was also while the daemon owes an answer', {
  skip: existsSync('/usr/bin/script') ? false : 'needs script(1) for a terminal',
}, async (t) => {
  const socket = join(folder(t), 'control');
  const asked: Socket[] = [];
  const silent = createServer((client) => asked.push(client.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(socket, resolve));
  t.after(() => silent.close());
  const command = `${process.execPath} ${waywardCommand} watch --socket ${socket}`;
  const terminal = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm-256color' },
  });
  t.after(() => terminal.kill('SIGKILL'));
  let shown = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  await eventually(() => asked.length > 0 || undefined);
  terminal.stdin.write('q');
  const ended = new Promise((resolve) => terminal.once('exit', resolve));
  assert.equal(await Promise.race([ended, sleep(60_000, 'it stays', { ref: false })]), 0);
  assert.ok(shown.endsWith('\u001b[?25h\u001b[?1049l'));
});

test('wayward watch and wayward page without a daemon say so in one line', async (t) => {
  const socket = join(folder(t), 'control');
  for (const command of ['watch', 'page']) {
    const { status, err } = await wayward(t, [command, '--socket', socket]);
    assert.equal(err, `wayward: no daemon answers at ${socket} (ENOENT)\n`);
    assert.equal(status, 1);
  }
});
