// A client that moves, and the gateway that follows it (RFC 4555 3.5, 3.7).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addresses } from '../../testing/connections.ts';
import { at, atHome, between, elsewhere, mobile, third, tunnels } from '../../testing/mobile-pair.ts';

// RFC 4555 3.5, 3.7, 4.2.4
test('a client that moves takes its Child SAs along, and the gateway follows once it has answered from there', () => {
  const pair = mobile().establish();
  const before = [pair.moon.sa.initiatorSpi, ...pair.moon.sa.outboundSpis];
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.collect();
  assert.deepEqual(tunnels(pair.moon), between(elsewhere, addresses.sun));
  const update = pair.take(pair.sun);
  assert.equal(update.source.address, elsewhere);
  pair.deliver(pair.sun, update);
  // It believes the IKE SA, and asks.
  assert.equal(pair.sun.sa.remote.address, elsewhere);
  assert.deepEqual(pair.sun.sa.mobility?.tunnel.remote, at(addresses.moon));
  assert.deepEqual(tunnels(pair.sun), atHome);
  pair.settle();
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere));
  assert.deepEqual([pair.moon.sa.initiatorSpi, ...pair.moon.sa.outboundSpis], before);
  assert.deepEqual(
    pair.sun.eventsOf('peer-moved').map(({ from, to }) => [from.address, to.address]),
    [[addresses.moon, elsewhere]],
  );
  assert.deepEqual(
    pair.sun.eventsOf('path-checked').map(({ proven }) => proven),
    [true],
  );
  assert.equal(pair.moon.eventsOf('moved').length, 1);
  pair.assertKeysAgree();
});

// RFC 4555 3.5
test('a client that moves again before the answer tells the gateway once more', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  const first = pair.take(pair.sun);
  pair.moon.command({ kind: 'move', local: third });
  // The first is repeated from where we are now.
  pair.deliver(pair.sun, first);
  pair.settle();
  pair.run(3_000);
  assert.equal(pair.sun.sa.remote.address, third);
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, third));
  assert.deepEqual(tunnels(pair.moon), between(third, addresses.sun));
});

test('what waits for an answer goes out from the new address at once, and that is no sign of silence', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'rekey-ike' });
  pair.drop(pair.sun);
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.collect();
  assert.deepEqual(
    pair.wire.map(({ source }) => source.address),
    [elsewhere],
  );
  assert.deepEqual(pair.moon.eventsOf('retransmitting'), []);
  pair.settle();
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere));
});

test('a client that moves away and back at once leaves both ends where they were', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.deliver(pair.sun);
  pair.moon.command({ kind: 'move', local: addresses.moon });
  pair.settle();
  pair.run(5_000);
  assert.deepEqual(tunnels(pair.sun), atHome);
  assert.equal(pair.sun.sa.remote.address, addresses.moon);
  assert.equal(pair.sun.sa.phase, 'established');
});

test('an update or a check that is lost is repeated after a second, beside the tries that silence is measured by', () => {
  const retransmit = { baseMs: 4_000, factor: 2, tries: 2, jitter: 0 };
  const pair = mobile({ moon: { change: { retransmit } }, sun: { change: { retransmit } } }).establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.drop(pair.sun);
  pair.wait(1_000);
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  pair.drop(pair.moon);
  pair.wait(1_000);
  pair.settle();
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere));
  for (const host of [pair.moon, pair.sun]) assert.deepEqual(host.eventsOf('retransmitting'), []);
  // All tries are still there.
  pair.moon.command({ kind: 'move', local: third });
  const sentAt: number[] = [];
  pair.collect();
  for (const start = pair.now; pair.moon.sa.phase === 'established'; pair.wait(100)) {
    for (const { source } of pair.wire.splice(0)) if (source.address === third) sentAt.push(pair.now - start);
  }
  assert.deepEqual(sentAt, [0, 1_000, 5_000, 13_000]);
});

test('lost updates, answers and checks are repeated until both ends agree', () => {
  for (let lost = 0; lost < 5; lost++) {
    const pair = mobile().establish();
    pair.moon.command({ kind: 'move', local: elsewhere });
    pair.collect();
    for (let count = 0, passes = 0; passes < 400; passes++) {
      const [datagram] = pair.wire.splice(0, 1);
      if (datagram === undefined) pair.wait(100);
      else if (count++ !== lost) pair.deliver(datagram.to, datagram);
    }
    assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere), `message ${lost} is lost`);
  }
});

// RFC 4555 3.5
test('a gateway that does not accept where we are makes us begin anew', () => {
  const pair = mobile().establish();
  // No host has its own address as that of its peer.
  pair.moon.command({ kind: 'move', local: elsewhere });
  const update = pair.take(pair.sun);
  pair.deliver(pair.sun, { ...update, source: at(addresses.sun) });
  pair.settle();
  assert.equal(pair.moon.eventsOf('move-refused').length, 1);
  assert.equal(pair.moon.sa.phase, 'ended');
  assert.deepEqual(
    pair.sun.commands.filter(({ kind }) => kind === 'update-addresses'),
    [],
  );
});
