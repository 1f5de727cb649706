// The programs of docs/vici.md, run as their readers would: the client against the server.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const repository = fileURLToPath(new URL('../../', import.meta.url));

test('the client and the server of the documentation understand each other', async () => {
  const text = readFileSync(join(repository, 'docs', 'vici.md'), 'utf8');
  const programs = [...text.matchAll(/```js\n(\/\/ (\w+\.mjs).*?)```/gs)];
  assert.deepEqual(
    programs.map(([, , name]) => name),
    ['client.mjs', 'server.mjs'],
  );
  // Inside the package, so that it finds itself by its name as it would in somebody's node_modules.
  const output = join(repository, 'test-output');
  mkdirSync(output, { recursive: true });
  const folder = mkdtempSync(join(output, 'vici-'));
  const socketFolder = mkdtempSync(join(tmpdir(), 'wayward-vici-'));
  const socket = join(socketFolder, 'vici');
  for (const [, program, name] of programs) writeFileSync(join(folder, name!), program!);
  const server = spawn(process.execPath, [join(folder, 'server.mjs'), socket], { stdio: 'inherit' });
  try {
    for (let i = 0; i < 200 && !existsSync(socket); i++) await sleep(25);
    const client = await promisify(execFile)(process.execPath, [join(folder, 'client.mjs'), socket]);
    assert.deepEqual(client.stdout.trim().split('\n'), [
      'example 1.0',
      '[CFG] asked for net',
      'net: ESTABLISHED 192.0.2.1 - 192.0.2.2',
      'ike-updown: up',
    ]);
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.equal(existsSync(socket), false);
  } finally {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true });
    rmSync(socketFolder, { recursive: true });
  }
});
