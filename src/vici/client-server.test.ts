// Client and server over streams that tear everything: requests, streams, events, mistakes, clients of no manners.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { encodeViciFrame } from '#wire';
import { ViciClient } from './client.ts';
import { ViciError } from './error.ts';
import { type ViciHandler, ViciServer, type ViciServerOptions } from './server.ts';
import { streamPair } from './testing/stream-pair.ts';
import { connectVici, listenVici } from './unix-socket.ts';

function make(options: Partial<ViciServerOptions> & { handlers?: Record<string, ViciHandler> } = {}): {
  server: ViciServer;
  join: () => ViciClient;
  disconnected: string[];
  mistakes: string[];
} {
  const disconnected: string[] = [];
  const mistakes: string[] = [];
  const commands = new Map<string, ViciHandler>([
    ['version', () => ({ daemon: 'test', version: '1', sysname: '', release: '', machine: '' })],
    ['echo', (request) => request],
    [
      'list-sas',
      async (_request, call) => {
        for (let i = 0; i < 3; i++) await call.send('list-sa', { net: { uniqueid: String(i) } });
        return {};
      },
    ],
    ...Object.entries(options.handlers ?? {}),
  ]);
  const server = new ViciServer({
    commands,
    events: ['list-sa', 'log', 'ike-updown', 'control-log'],
    onDisconnect: (detail) => disconnected.push(detail),
    onMistake: (command, error) => mistakes.push(`${command}: ${error}`),
    ...options,
  });
  return {
    server,
    join: () => {
      const [ours, theirs] = streamPair();
      server.serve(theirs);
      return new ViciClient(ours);
    },
    disconnected,
    mistakes,
  };
}

const hasCode = (code: string) => (error: unknown) => error instanceof ViciError && error.code === code;

test('requests are answered in order, many at once', async () => {
  const client = make().join();
  assert.equal((await client.request('version')).daemon, 'test');
  const numbers = Array.from({ length: 50 }, (_, i) => String(i));
  const answers = await Promise.all(numbers.map((n) => client.request('echo', { n, list: ['a', n] })));
  assert.deepEqual(
    answers,
    numbers.map((n) => ({ n, list: ['a', n] })),
  );
  await assert.rejects(client.request('nothing'), hasCode('unknown-command'));
  client.close();
  await assert.rejects(client.request('version'), hasCode('closed'));
});

test('a streaming command is read event by event, and its response at the end', async () => {
  const client = make().join();
  const ids: string[] = [];
  for await (const event of client.stream('list-sas')) ids.push(event['net']!.uniqueid);
  assert.deepEqual(ids, ['0', '1', '2']);
  const stream = client.stream('list-sas');
  for (let i = 0; i < 3; i++) assert.equal((await stream.next()).done, false);
  assert.deepEqual(await stream.next(), { done: true, value: {} });
  // Leaving the loop early leaves the connection usable.
  for await (const event of client.stream('list-sas')) if (event['net'] !== undefined) break;
  assert.equal((await client.request('version')).version, '1');
});

test('events are missed by nobody who registered, and end with the loop', async () => {
  const { server, join } = make();
  const [one, two] = [join(), join()];
  const events = await one.events('log', 'ike-updown');
  assert.equal(server.isAwaited('log'), true);
  server.raise('log', { group: 'IKE', level: '1', msg: 'a' });
  server.raise('ike-updown', { up: 'yes' });
  server.raise('log', { group: 'IKE', level: '1', msg: 'b' });
  const names: string[] = [];
  for await (const { name, message } of events) {
    names.push(name);
    if (name === 'log' && message.msg === 'b') break;
  }
  assert.deepEqual(names, ['log', 'ike-updown', 'log']);
  await one.request('version');
  assert.equal(server.isAwaited('log'), false);
  await assert.rejects(two.events('alert'), hasCode('unknown-event'));
  const waiting = await two.events('log');
  const next = waiting.next();
  two.close();
  await assert.rejects(next, hasCode('closed'));
});

test('a refusal has its reason, a mistake has none for the client', async () => {
  const { join, mistakes } = make({
    handlers: {
      refuse: () => {
        throw new ViciError('failed', 'not today');
      },
      mistake: () => {
        throw new TypeError('secret');
      },
      large: () => ({ data: 'x'.repeat(70_000) }),
    },
  });
  const client = join();
  await assert.rejects(client.request('refuse'), { code: 'failed', message: 'not today' });
  await assert.rejects(client.request('mistake'), { message: 'internal error in mistake' });
  await assert.rejects(client.request('large'), { message: 'internal error in large' });
  assert.equal(mistakes.length, 2);
  assert.equal((await client.request('version')).daemon, 'test');
});

test('a second reader is served while one streams', async () => {
  let go: (() => void) | undefined;
  const { join } = make({
    handlers: {
      initiate: async (_request, call) => {
        await call.send('control-log', { msg: 'begun' });
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        return { success: 'yes' };
      },
    },
  });
  const [one, two] = [join(), join()];
  const stream = one.stream('initiate', { child: 'x' });
  assert.equal((await stream.next()).done, false);
  assert.equal((await two.request('version')).daemon, 'test');
  go?.();
  assert.deepEqual(await stream.next(), { done: true, value: { success: 'yes' } });
});

test('an event that fits no packet is left out, and those around it are not', async () => {
  const large = { children: Array.from({ length: 20 }, () => 'x'.repeat(60_000)) };
  const { server, join, mistakes } = make({
    handlers: {
      'list-sas': async (_request, call) => {
        for (const net of [{ uniqueid: '1' }, large, { uniqueid: '3' }]) await call.send('list-sa', { net });
        return {};
      },
    },
  });
  const client = join();
  const listed: unknown[] = [];
  for await (const event of client.stream('list-sas')) listed.push(event['net']?.uniqueid);
  assert.deepEqual(listed, ['1', '3']);
  const events = await client.events('log');
  server.raise('log', large);
  server.raise('log', { msg: 'after it' });
  assert.deepEqual((await events.next()).value?.message, { msg: 'after it' });
  assert.equal(mistakes.length, 2);
  assert.match(mistakes.join(), /^list-sa: .*octets, at most.*log: /);
});

test('a client that does not read its events is disconnected, the others are not', async () => {
  const { server, join, disconnected } = make();
  const [ours, theirs] = streamPair(1 << 20);
  // Nothing that is written to this end is ever taken.
  theirs._write = () => undefined;
  server.serve(theirs);
  ours.write(encodeViciFrame({ kind: 'event-register', name: 'log' }));
  const client = join();
  const events = await client.events('log');
  const msg = 'x'.repeat(60_000);
  for (let i = 0; i < 100; i++) server.raise('log', { msg });
  assert.deepEqual(disconnected, ['events are not read']);
  assert.equal(theirs.destroyed, true);
  for (let i = 0; i < 100; i++) await events.next();
  assert.equal((await client.request('version')).daemon, 'test');
});

test('a client that does not read its answers is not read either, until it does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-vici-'));
  const path = join(folder, 'vici');
  let asked = 0;
  const echo: ViciHandler = (request) => {
    asked++;
    return request;
  };
  const listener = await listenVici(path, make({ handlers: { echo } }).server);
  try {
    const socket = connect(path);
    const message = { text: 'x'.repeat(1_000) };
    const request = encodeViciFrame({ kind: 'command-request', name: 'echo', message });
    const answerBytes = encodeViciFrame({ kind: 'command-response', message }).length;
    const requests = 8_000;
    for (let i = 0; i < requests; i++) socket.write(request);
    for (let before = -1; before !== asked; await sleep(300)) before = asked;
    assert.ok(asked < 3_000, `${asked} requests of 1 kB are answered`);
    let answeredBytes = 0;
    for await (const octets of socket) {
      answeredBytes += (octets as Buffer).length;
      if (answeredBytes >= requests * answerBytes) break;
    }
    assert.equal(answeredBytes, requests * answerBytes);
  } finally {
    await listener.close();
    rmSync(folder, { recursive: true });
  }
});

test('a handler learns that its client has gone', async () => {
  let aborted = false;
  const { join } = make({
    handlers: {
      wait: (_request, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve({});
          });
        }),
    },
  });
  const client = join();
  const answer = client.request('wait');
  await setImmediate();
  client.close();
  await assert.rejects(answer, hasCode('closed'));
  for (let i = 0; i < 10 && !aborted; i++) await setImmediate();
  assert.equal(aborted, true);
});

test('connections are bounded', async () => {
  const { join, disconnected } = make({ connectionsMax: 2 });
  const clients = [join(), join(), join()];
  await assert.rejects(clients[2]!.request('version'), hasCode('closed'));
  assert.deepEqual(disconnected, ['too many connections']);
  assert.equal((await clients[0]!.request('version')).daemon, 'test');
});

test('over a Unix socket that only its owner opens', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-vici-'));
  const path = join(folder, 'vici');
  try {
    await assert.rejects(connectVici(path), hasCode('socket'));
    const { server, disconnected } = make();
    const listener = await listenVici(path, server);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await assert.rejects(listenVici(path, server), hasCode('socket'));

    // Garbage, a frame of four gigabytes and half a frame on connections of their own, and one that works.
    const bad = [
      Uint8Array.of(0, 0, 0, 1, 99),
      Uint8Array.of(255, 255, 255, 255),
      Uint8Array.of(0, 0, 0, 9, 0),
    ];
    const sockets = bad.map((octets) => {
      const socket = connect(path, () => socket.write(octets));
      socket.on('error', () => undefined);
      return socket;
    });
    const client = await connectVici(path);
    while (disconnected.length < 2) await sleep(10);
    assert.equal(disconnected.length, 2);
    assert.equal((await client.request('version')).daemon, 'test');
    const large = 'x'.repeat(60_000);
    const lists = await Promise.all(
      Array.from({ length: 40 }, () => client.request('echo', { list: [large, large, large, large] })),
    );
    assert.equal(lists.length, 40);
    for (const socket of sockets) socket.destroy();
    await listener.close();
    await assert.rejects(client.request('version'), hasCode('closed'));

    writeFileSync(path, 'a file of somebody else');
    await assert.rejects(listenVici(path, server), { message: `${path} exists and is no socket` });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a path that is a number is no port, and an empty one is none', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-vici-'));
  const before = process.cwd();
  process.chdir(folder);
  t.after(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });
  const { server } = make();
  const listener = await listenVici('4711', server);
  assert.ok(statSync(join(folder, '4711')).isSocket());
  const client = await connectVici('4711');
  assert.equal((await client.request('version')).daemon, 'test');
  await listener.close();
  await assert.rejects(listenVici('', server), hasCode('socket'));
  await assert.rejects(connectVici(''), hasCode('socket'));
});
