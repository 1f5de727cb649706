// What people ask of a host, message by message: up, down, reload, shutdown, and the one answer each gets.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { selectorOfPrefix } from '#sa';
import { child, configuration, connection } from '../testing/configurations.ts';
import { type EngineHost, EnginePair } from '../testing/two-engines.ts';

function empty(host: EngineHost): void {
  for (const [table, size] of Object.entries(host.engine.tables())) assert.equal(size, 0, table);
}

describe('initiate', () => {
  test('succeeds once the Child SA stands, and again at once while it does', () => {
    const pair = new EnginePair().start();
    const id = pair.moon.command({ kind: 'initiate', child: 'net' });
    assert.equal(pair.moon.results.get(id), undefined);
    pair.settle();
    assert.deepEqual(pair.moon.results.get(id), { ok: true, count: 1 });
    const again = pair.moon.command({ kind: 'initiate', child: 'net' });
    assert.deepEqual(pair.moon.results.get(again), { ok: true, count: 0 });
    assert.equal(pair.moon.established, 1);
  });

  test('brings a Child SA back whose Delete is still on its way', () => {
    const pair = new EnginePair().establish();
    const ended = pair.moon.command({ kind: 'terminate', child: 'net' });
    const id = pair.moon.command({ kind: 'initiate', child: 'net' });
    pair.settle();
    assert.deepEqual(pair.moon.results.get(ended), { ok: true, count: 1 });
    assert.deepEqual(pair.moon.results.get(id), { ok: true, count: 1 });
    assert.deepEqual([pair.moon.children, pair.sun.children], [1, 1]);
  });

  test('brings a Child SA back whose Delete waits for room in the window', () => {
    const pair = new EnginePair().establish();
    pair.moon.command({ kind: 'rekey', connection: 'gateway' });
    pair.moon.command({ kind: 'terminate', child: 'net' });
    const id = pair.moon.command({ kind: 'initiate', child: 'net' });
    pair.run(5_000);
    assert.deepEqual(pair.moon.results.get(id), { ok: true, count: 1 });
    assert.deepEqual([pair.moon.children, pair.sun.children], [1, 1]);
  });

  test('fails for a name that is not configured', () => {
    const { moon } = new EnginePair().start();
    const id = moon.command({ kind: 'initiate', child: 'nothing' });
    const result = moon.results.get(id);
    assert.equal(result?.ok === false && result.code, 'not-found');
  });

  test('fails once nobody answers, and leaves nothing', () => {
    const pair = new EnginePair().start();
    pair.cut = true;
    const id = pair.moon.command({ kind: 'initiate', child: 'net' });
    pair.run(60_000);
    const result = pair.moon.results.get(id);
    assert.equal(result?.ok === false && result.code, 'failed');
    empty(pair.moon);
  });

  test('fails for a name that cannot be looked up', () => {
    const pair = new EnginePair().start();
    pair.moon.resolves = false;
    const id = pair.moon.command({ kind: 'initiate', child: 'net' });
    assert.match(JSON.stringify(pair.moon.results.get(id)), /the name is unknown/);
    empty(pair.moon);
  });

  test('from both sides at the same time answers both', () => {
    const pair = new EnginePair().start();
    const ids = [pair.moon, pair.sun].map((host) => host.command({ kind: 'initiate', child: 'net' }));
    pair.run(1_000);
    assert.deepEqual(
      [pair.moon.results.get(ids[0]!), pair.sun.results.get(ids[1]!)],
      [
        { ok: true, count: 1 },
        { ok: true, count: 1 },
      ],
    );
  });

  for (const refused of ['install', 'install-policy', 'use-outbound'] as const) {
    test(`fails with the reason when the data plane refuses to ${refused}`, () => {
      const pair = new EnginePair().start();
      pair.moon.answer = ({ kind }) =>
        kind === refused ? { ok: false, code: 'failed', detail: 'no room' } : { ok: true };
      const id = pair.moon.command({ kind: 'initiate', child: 'net' });
      pair.run(60_000);
      assert.deepEqual(pair.moon.results.get(id), { ok: false, code: 'failed', detail: 'failed: no room' });
      assert.deepEqual([pair.moon.children, pair.sun.children], [0, 0]);
      assert.equal(pair.moon.engine.tables().reservedSpis, 0);
    });
  }
});

describe('terminate', () => {
  test('of a child ends the pair at both ends and keeps the IKE SA', () => {
    const pair = new EnginePair().establish();
    const id = pair.moon.command({ kind: 'terminate', child: 'net' });
    pair.settle();
    assert.deepEqual(pair.moon.results.get(id), { ok: true, count: 1 });
    assert.deepEqual([pair.moon.children, pair.sun.children], [0, 0]);
    assert.deepEqual([pair.moon.established, pair.sun.established], [1, 1]);
  });

  test('is answered though the last pair to go is one that had been replaced', () => {
    const pair = new EnginePair().establish();
    pair.moon.command({ kind: 'rekey', child: 'net' });
    pair.deliver(pair.wire.shift()!);
    pair.deliver(pair.wire.shift()!);
    const deleteOfReplaced = pair.wire.shift()!;
    assert.equal(pair.moon.children, 2);
    // The new pair goes first.
    pair.sun.command({ kind: 'terminate', child: 'net' });
    pair.settle();
    const id = pair.moon.command({ kind: 'terminate', child: 'net' });
    pair.deliver(deleteOfReplaced);
    pair.run(60_000);
    assert.equal(pair.moon.children, 0);
    const result = pair.moon.results.get(id);
    assert.ok(result?.ok === true || result?.code === 'not-found');
    assert.deepEqual(
      [pair.moon, pair.sun].map(({ engine }) => engine.tables().pendingCommands),
      [0, 0],
    );
    assert.equal(pair.moon.eventsOf('child-down').length, 1);
  });

  test('of a connection ends everything at both ends', () => {
    const pair = new EnginePair().establish();
    const id = pair.moon.command({ kind: 'terminate', connection: 'gateway' });
    pair.settle();
    assert.deepEqual(pair.moon.results.get(id), { ok: true, count: 1 });
    empty(pair.moon);
    empty(pair.sun);
  });

  test('cancels a connection on its way up, and answers who waits for it', () => {
    const pair = new EnginePair().start();
    pair.cut = true;
    const waiting = pair.moon.command({ kind: 'initiate', child: 'net' });
    pair.run(500);
    const id = pair.moon.command({ kind: 'terminate', connection: 'gateway' });
    pair.run(60_000);
    assert.equal(pair.moon.results.get(waiting)?.ok, false);
    assert.equal(pair.moon.results.get(id)?.ok, true);
    empty(pair.moon);
  });
});

describe('shutdown', () => {
  test('deletes every SA, removes traps, and accepts nothing afterwards', () => {
    const traps = [child('moon', { startAction: 'trap' })];
    const pair = new EnginePair({
      moon: configuration('moon', { connections: [connection('moon', { children: traps })] }),
    }).establish();
    const id = pair.moon.command({ kind: 'shutdown' });
    pair.settle();
    assert.equal(pair.moon.results.get(id)?.ok, true);
    empty(pair.moon);
    empty(pair.sun);
    const later = pair.moon.command({ kind: 'initiate', child: 'net' });
    const result = pair.moon.results.get(later);
    assert.equal(result?.ok === false && result.code, 'shutting-down');
    pair.sun.command({ kind: 'initiate', child: 'net' });
    pair.settle();
    assert.equal(pair.moon.eventsOf('datagram-ignored').at(-1)?.reason, 'shutting-down');
    assert.equal(pair.moon.established, 0);
  });

  test('ends although the peer is gone', () => {
    const pair = new EnginePair().establish();
    pair.cut = true;
    const id = pair.moon.command({ kind: 'shutdown' });
    assert.equal(pair.moon.results.get(id), undefined);
    pair.run(60_000);
    assert.equal(pair.moon.results.get(id)?.ok, true);
    empty(pair.moon);
  });

  test('with nothing to end is done at once', () => {
    const { moon } = new EnginePair().start();
    const id = moon.command({ kind: 'shutdown' });
    assert.deepEqual(moon.results.get(id), { ok: true, count: 0 });
  });

  test('in the middle of a handshake leaves nothing', () => {
    const pair = new EnginePair().start();
    const waiting = pair.moon.command({ kind: 'initiate', child: 'net' });
    pair.deliver(pair.wire.shift()!);
    const id = pair.moon.command({ kind: 'shutdown' });
    pair.run(60_000);
    assert.equal(pair.moon.results.get(id)?.ok, true);
    assert.equal(pair.moon.results.get(waiting)?.ok, false);
    empty(pair.moon);
    empty(pair.sun);
  });
});

describe('a reload', () => {
  test('keeps SAs that stand, also those of connections that are gone', () => {
    const pair = new EnginePair().establish();
    const id = pair.moon.command({ kind: 'load', configuration: configuration('moon', { connections: [] }) });
    assert.deepEqual(pair.moon.results.get(id), { ok: true, count: 0 });
    pair.run(1_000);
    assert.deepEqual([pair.moon.children, pair.sun.children], [1, 1]);
  });

  test('starts what is to be started and is not up', () => {
    const pair = new EnginePair().start();
    const children = [child('moon', { startAction: 'start' })];
    const changed = configuration('moon', { connections: [connection('moon', { children })] });
    pair.moon.command({ kind: 'load', configuration: changed });
    pair.settle();
    assert.equal(pair.moon.children, 1);
    pair.moon.command({ kind: 'load', configuration: changed });
    pair.settle();
    assert.equal(pair.moon.children, 1);
  });

  test('ends the initiation of a connection that is gone, and answers who waits', () => {
    const pair = new EnginePair().start();
    pair.cut = true;
    const waiting = pair.moon.command({ kind: 'initiate', child: 'net' });
    pair.moon.command({ kind: 'load', configuration: configuration('moon', { connections: [] }) });
    pair.run(60_000);
    assert.equal(pair.moon.results.get(waiting)?.ok, false);
    empty(pair.moon);
  });

  test('replaces a trap whose selectors changed, and leaves one alone that did not', () => {
    const trapped = (prefix: string) =>
      configuration('moon', {
        connections: [
          connection('moon', {
            children: [child('moon', { startAction: 'trap', remoteSelectors: [selectorOfPrefix(prefix)!] })],
          }),
        ],
      });
    const pair = new EnginePair({ moon: trapped('10.2.0.0/16') }).start();
    const kinds = (): string[] => pair.moon.saCommands.map(({ kind }) => kind);
    assert.deepEqual(kinds(), ['install-policy']);
    pair.moon.command({ kind: 'load', configuration: trapped('10.2.0.0/16') });
    assert.deepEqual(kinds(), ['install-policy']);
    pair.moon.command({ kind: 'load', configuration: trapped('10.3.0.0/16') });
    assert.deepEqual(kinds(), ['install-policy', 'remove-policy', 'install-policy']);
    pair.moon.command({ kind: 'load', configuration: configuration('moon') });
    assert.deepEqual(kinds().at(-1), 'remove-policy');
    assert.equal(pair.moon.engine.tables().traps, 0);
  });
});
