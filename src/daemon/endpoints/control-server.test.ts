// The control socket against clients of no manners.
import assert from 'node:assert/strict';
import { lstatSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { askDaemon } from './control-client.ts';
import { ControlServer } from './control-server.ts';

async function serving(t: TestContext): Promise<{ path: string; asked: () => number }> {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-control-'));
  const path = join(folder, 'control');
  let asked = 0;
  const server = await ControlServer.listen(path, async () => {
    asked++;
    return { kind: 'refused', detail: 'x'.repeat(100_000) };
  });
  t.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  return { path, asked: () => asked };
}

/** The lengths of so many answers. */
async function lengthsOf(socket: Socket, count: number): Promise<number[]> {
  const lengths: number[] = [];
  let length = 0;
  for await (const octets of socket) {
    for (const octet of octets as Buffer) {
      if (octet !== 10) length++;
      else {
        lengths.push(length);
        length = 0;
      }
    }
    if (lengths.length >= count) break;
  }
  return lengths;
}

test('requests of one client are answered in turn, torn as they may be', async (t) => {
  const { path } = await serving(t);
  const socket = connect(path);
  for (const part of ['{"kind":', '"page"}\nnonsense\n{"ki', 'nd":"status"}\n']) {
    socket.write(part);
    await sleep(20);
  }
  assert.deepEqual(await lengthsOf(socket, 3), [100_030, 38, 100_030]);
});

test('a client that does not read its answers is asked for no more requests', async (t) => {
  const { path, asked } = await serving(t);
  const socket = connect(path);
  const requests = 500;
  for (let i = 0; i < requests; i++) socket.write('{"kind":"page"}\n');
  for (let before = -1; before !== asked(); await sleep(300)) before = asked();
  assert.ok(asked() < 20, `${asked()} requests of 100 kB each are answered`);
  assert.equal((await lengthsOf(socket, requests)).length, requests);
  assert.equal(asked(), requests);
});

test('a client that goes away in the middle of an answer is forgotten', async (t) => {
  const { path, asked } = await serving(t);
  for (let i = 0; i < 70; i++) {
    const socket = connect(path);
    socket.write('{"kind":"page"}\n'.repeat(10));
    const before = asked();
    while (asked() === before) await sleep(5);
    socket.destroy();
  }
  const socket = connect(path);
  socket.write('{"kind":"page"}\n');
  assert.deepEqual(await lengthsOf(socket, 1), [100_030]);
});

test('a line without an end is not kept', async (t) => {
  const { path } = await serving(t);
  const socket = connect(path);
  const closed = new Promise((resolve) => socket.on('error', () => undefined).on('close', resolve));
  socket.write('x'.repeat(100_000));
  await closed;
});

test('a client that does not hang up holds up no end', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-control-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'control');
  const server = await ControlServer.listen(path, async () => ({ kind: 'refused', detail: '' }));
  const idle = connect({ path, allowHalfOpen: true });
  t.after(() => idle.destroy());
  idle.write('{"kind":"page"}\n');
  await new Promise((resolve) => idle.once('data', resolve));
  const ended = await Promise.race([
    server.close().then(() => 'ended'),
    sleep(60_000, 'waits', { ref: false }),
  ]);
  assert.equal(ended, 'ended');
});

test('a path that is a number is no port, and an empty one is none', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-control-'));
  const before = process.cwd();
  process.chdir(folder);
  t.after(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });
  const server = await ControlServer.listen('4711', async () => ({ kind: 'refused', detail: 'here' }));
  assert.ok(lstatSync(join(folder, '4711')).isSocket());
  assert.deepEqual(await askDaemon('4711', { kind: 'page' }), { kind: 'refused', detail: 'here' });
  await server.close();
  const empty = { code: 'control-socket' };
  await assert.rejects(
    ControlServer.listen('', async () => ({ kind: 'refused', detail: '' })),
    empty,
  );
  await assert.rejects(askDaemon('', { kind: 'page' }), empty);
});
