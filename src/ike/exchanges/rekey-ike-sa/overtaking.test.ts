// Requests that overtake answers: each direction of an IKE SA has windows of its own, and the network has no order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NotifyType } from '#wire';
import { notify } from '../../payloads/notify.ts';
import { child, connection } from '../../testing/connections.ts';
import { Pair } from '../../testing/pair.ts';

function assertAgree(pair: Pair): void {
  pair.assertKeysAgree();
  for (const host of [pair.moon, pair.sun]) {
    const { children } = host.sa;
    assert.equal(host.installed.size, 2 * children.length, host.name);
    assert.equal(host.reservedSpis.size, children.length, host.name);
  }
  assert.equal(pair.moon.sa.children.length, pair.sun.sa.children.length);
}

test('a Delete that overtakes the answer that made the Child SA is not forgotten', () => {
  const pair = new Pair().establish();
  const { moon, sun } = pair;
  moon.command({ kind: 'initiate-child', child: child('moon') });
  pair.deliver(sun);
  const answer = pair.take(moon);
  sun.command({ kind: 'delete-child', childId: 2 });
  pair.deliver(moon);
  pair.deliver(sun);
  assert.equal(sun.sa.children.length, 1);
  pair.deliver(moon, answer);
  assert.equal(moon.sa.children.length, 1);
  assert.equal(moon.eventsOf('child-failed')[0]?.failure.code, 'deleted-by-peer');
  assertAgree(pair);
});

// RFC 7296 2.25
test('a rekeying that overtakes the answer that made the Child SA is tried again later', () => {
  const pair = new Pair().establish();
  const { moon, sun } = pair;
  moon.command({ kind: 'initiate-child', child: child('moon') });
  pair.deliver(sun);
  const answer = pair.take(moon);
  sun.command({ kind: 'rekey-child', childId: 2 });
  pair.deliver(moon);
  pair.deliver(sun);
  assert.equal(sun.sa.children.length, 2, 'CHILD_SA_NOT_FOUND came too early to be believed');
  pair.deliver(moon, answer);
  pair.run(10_000);
  assert.equal(sun.sa.children[1]?.generation, 1);
  assertAgree(pair);
});

// RFC 7296 2.8.2
test('a peer that uses its new IKE SA has won, although the answer to our own rekeying is missing', () => {
  let seen = false;
  for (let seed = 0; seed < 8; seed++) {
    const pair = new Pair({ moon: { seed: `moon ${seed}` }, sun: { seed: `sun ${seed}` } }).establish();
    const { moon, sun } = pair;
    moon.command({ kind: 'rekey-ike' });
    sun.command({ kind: 'rekey-ike' });
    pair.deliver(moon);
    pair.deliver(sun);
    const missing = pair.take(sun);
    pair.deliver(moon);
    // The winner deletes the old IKE SA.
    if (moon.sas[0]?.phase !== 'deleting') continue;
    seen = true;
    // Moon's Delete of the old IKE SA is lost for the moment; what it does on the new one arrives.
    pair.drop(sun);
    moon.command({ kind: 'delete-child', childId: 1 });
    pair.deliver(sun);
    assert.equal(sun.installed.size, 0);
    assert.equal(sun.sas[0]?.phase, 'rekeyed');
    pair.deliver(sun, missing);
    pair.run(60_000);
    for (const host of [moon, sun]) {
      assert.equal(host.sas.filter(({ phase }) => phase !== 'ended').length, 1);
      assert.equal(host.sa.initiatorSpi, moon.sa.initiatorSpi);
    }
    assertAgree(pair);
  }
  assert.ok(seen, 'no seed let moon win');
});

test('a Child SA that the peer is deleting cannot be rekeyed, and there is no second try', () => {
  const pair = new Pair().establish();
  const { moon, sun } = pair;
  sun.command({ kind: 'delete-child', childId: 1 });
  const removal = pair.take(moon);
  moon.command({ kind: 'rekey-child', childId: 1 });
  pair.deliver(sun);
  assert.deepEqual(pair.wire, [], 'no answer before the Delete has one');
  pair.deliver(moon, removal);
  pair.deliver(sun);
  // TEMPORARY_FAILURE
  pair.deliver(moon);
  assert.deepEqual(moon.sa.queued, []);
  pair.run(30_000);
  assertAgree(pair);
  assert.equal(moon.sa.children.length, 0);
});

test('a notify of the host travels protected, and the other host hears of it', () => {
  const pair = new Pair().establish();
  const invalidSpi = notify(NotifyType.INVALID_SPI, Uint8Array.of(1, 2, 3, 4));
  pair.moon.command({ kind: 'send-notify', notify: invalidSpi });
  pair.settle();
  assert.deepEqual(
    pair.sun.eventsOf('notify-received').map((event) => event.notify),
    [invalidSpi],
  );
  assert.deepEqual(pair.moon.sa.outstanding, []);
  assert.equal(pair.sun.sa.children.length, 1);
});

test('notifies of the host go into IKE_AUTH, and follow a rekeying to the new IKE SA', () => {
  const token = notify(NotifyType.QUICK_CRASH_DETECTION, new Uint8Array(16).fill(7));
  const pair = new Pair();
  pair.moon.notifiesFor = () => [token];
  pair.sun.notifiesFor = () => [token];
  pair.establish();
  assert.equal(pair.moon.eventsOf('notify-received').length, 1);
  assert.equal(pair.sun.eventsOf('notify-received').length, 1);
  pair.moon.command({ kind: 'rekey-ike' });
  pair.settle();
  assert.equal(pair.moon.eventsOf('notify-received').length, 2);
  assert.equal(pair.sun.eventsOf('notify-received').length, 2);
});

test('a Delete of the IKE SA waits for its rekeying, so that no successor outlives it', () => {
  const windowSize = 4;
  const pair = new Pair({
    moon: { connections: [connection('moon', { windowSize })] },
    sun: { connections: [connection('sun', { windowSize })] },
  }).establish();
  pair.moon.command({ kind: 'rekey-ike' });
  pair.moon.command({ kind: 'delete', reason: 'test' });
  pair.settle();
  pair.run(60_000);
  for (const host of [pair.moon, pair.sun]) {
    assert.deepEqual(
      host.sas.map(({ phase }) => phase),
      ['ended', 'ended'],
      host.name,
    );
    assert.equal(host.installed.size, 0, host.name);
  }
});
