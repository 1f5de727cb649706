import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { folder, wayward, waywardCommand } from './testing/wayward-process.ts';

for (const [words, line] of [
  [['frobnicate'], "unknown command 'frobnicate'"],
  [['statsu'], "unknown command 'statsu' (Did you mean status?)"],
  [['run', '--confg', 'x'], "unknown option '--confg' (Did you mean --config?)"],
  [['up'], "missing required argument 'child'"],
  [['up', 'a', 'b'], "too many arguments for 'up'. Expected 1 argument but got 2."],
] as const) {
  test(`wayward ${words.join(' ')}: one line and status 2`, async (t) => {
    const { status, out, err } = await wayward(t, words);
    assert.equal(err, `wayward: ${line}; wayward --help lists the commands\n`);
    assert.equal(out, '');
    assert.equal(status, 2);
  });
}

test('wayward alone shows its help as an error', async (t) => {
  const { status, err } = await wayward(t, []);
  assert.match(err, /^Usage: wayward/);
  assert.equal(status, 2);
});

test('--help of each command is no error', async (t) => {
  for (const command of ['run', 'up', 'down', 'rekey', 'reload', 'status', 'demo', 'explain', 'hip']) {
    const { status, out, err } = await wayward(t, [command, '--help']);
    assert.match(out, new RegExp(`^Usage: wayward ${command}`));
    assert.equal(err, '');
    assert.equal(status, 0);
  }
});

test('without a daemon, commands to it say so in one line and fail', async (t) => {
  const socket = join(folder(t), 'control');
  for (const words of [['up', 'net'], ['down', 'net'], ['status'], ['reload'], ['hip', 'up', 'x']]) {
    const { status, out, err } = await wayward(t, [...words, '--socket', socket]);
    assert.equal(err, `wayward: no daemon answers at ${socket} (ENOENT)\n`, words.join(' '));
    assert.equal(out, '');
    assert.equal(status, 1);
  }
});

test('with --json, whatever a command has to say is one JSON object', async (t) => {
  const socket = join(folder(t), 'control');
  const commands = [
    ['up', 'net'],
    ['down', 'net'],
    ['rekey', 'net'],
    ['reload'],
    ['status'],
    ['why', 'last'],
    ['page'],
    ['hip', 'up', 'peer'],
    ['lab', 'crash'],
  ];
  for (const words of commands) {
    const { status, out, err } = await wayward(t, [...words, '--json', '--socket', socket]);
    assert.equal(err, '', words.join(' '));
    const { ok, text } = JSON.parse(out) as { readonly ok: boolean; readonly text: string };
    assert.equal(ok, false);
    assert.match(text, /no daemon answers at/);
    assert.equal(status, 1);
  }
});

test('what is no SPI is asked wrongly, and nobody is asked', async (t) => {
  const socket = join(folder(t), 'control');
  for (const word of ['zz', '0x', '123456789', '-1', '', 'Last']) {
    const words = ['why', '--socket', socket, '--', word];
    const { status, out, err } = await wayward(t, words);
    assert.equal(err, `wayward: ${word} is no SPI: 1 to 8 hexadecimal digits, or last\n`);
    assert.equal(out, '');
    assert.equal(status, 2);
  }
  const json = await wayward(t, ['why', '--json', '--socket', socket, 'zz']);
  assert.equal((JSON.parse(json.out) as { readonly ok: boolean }).ok, false);
  assert.equal(json.status, 2);
});

test('a server that is no daemon of ours is told apart', async (t) => {
  const socket = join(folder(t), 'control');
  const server = createServer((client) =>
    client.on('data', () => client.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  );
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.after(() => server.close());
  const { status, err } = await wayward(t, ['status', '--socket', socket]);
  assert.equal(err, `wayward: what answers at ${socket} is no wayward daemon\n`);
  assert.equal(status, 1);
});

test('a folder in the place of a file is named', async (t) => {
  const path = folder(t);
  for (const words of [
    ['explain', path],
    ['explain', '--keys', path, '-'],
    ['hip', 'identity', path],
    ['hip', 'hosts', path],
  ]) {
    const { status, out, err } = await wayward(t, words);
    assert.equal(err, `wayward: ${path} is a folder\n`, words.join(' '));
    assert.equal(out, '');
    assert.equal(status, 1);
  }
});

test('what cannot be written down fails in one line, and a reader who has seen enough is no failure', (t) => {
  const file = join(folder(t), 'swanctl.conf');
  writeFileSync(file, '');
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  const check = [waywardCommand, 'check', '--config', file];
  const unwritten = spawnSync(process.execPath, check, { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
  assert.match(unwritten.stderr, /^wayward: the output cannot be written: ENOSPC.*\n$/);
  assert.equal(unwritten.status, 1);
  const unsaid = spawnSync(process.execPath, [waywardCommand, 'up'], { stdio: ['ignore', 'pipe', full] });
  assert.equal(unsaid.status, 2);

  const read = spawnSync(
    '/bin/sh',
    ['-c', '{ "$0" "$@" --json; echo $? >&2; } | true', process.execPath, ...check],
    { encoding: 'utf8' },
  );
  assert.equal(read.stderr, '0\n');
});
