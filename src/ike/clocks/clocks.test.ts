// Time and an IKE SA: rekeying before the end, expiry, traffic limits, windows, and keys that are forgotten.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { child, connection, noLifetimes } from '../testing/connections.ts';
import { Pair } from '../testing/pair.ts';

const minute = 60_000;

test('a Child SA is rekeyed at its time by the end with the shorter one', () => {
  const lifetimes = { ...noLifetimes, rekeyTimeMs: 10 * minute, lifeTimeMs: 11 * minute };
  const pair = new Pair({
    moon: { connections: [connection('moon', { children: [child('moon', { lifetimes })] })] },
  }).establish();
  pair.run(10 * minute - 1);
  assert.equal(pair.moon.sa.children[0]?.generation, 0);
  pair.run(1);
  assert.equal(pair.moon.sa.children[0]?.generation, 1);
  assert.equal(pair.sun.sa.children.length, 1);
  pair.run(60 * minute);
  assert.equal(pair.moon.sa.children[0]?.generation, 7);
  assert.equal(pair.moon.installed.size, 2);
  pair.assertKeysAgree();
});

test('a Child SA that cannot be rekeyed ends at its lifetime, and the peer is told', () => {
  const lifetimes = { ...noLifetimes, lifeTimeMs: 5 * minute };
  const pair = new Pair({
    moon: { connections: [connection('moon', { children: [child('moon', { lifetimes })] })] },
  }).establish();
  pair.run(5 * minute);
  assert.equal(pair.moon.eventsOf('child-ended')[0]?.failure.code, 'expired');
  assert.equal(pair.sun.installed.size, 0);
});

test('both ends have the same lifetimes and no jitter: they collide each time, and one pair survives', () => {
  const lifetimes = { ...noLifetimes, rekeyTimeMs: 10 * minute, lifeTimeMs: 11 * minute };
  const pair = new Pair({
    moon: { connections: [connection('moon', { children: [child('moon', { lifetimes })] })] },
    sun: { connections: [connection('sun', { children: [child('sun', { lifetimes })] })] },
  }).establish();
  pair.run(60 * minute);
  assert.equal(pair.moon.installed.size, 2);
  assert.equal(pair.sun.installed.size, 2);
  assert.ok(pair.moon.eventsOf('child-rekeyed').length >= 5);
  pair.assertKeysAgree();
});

// RFC 7296 2.8
test('an IKE SA is rekeyed at its time, again and again, and both ends may want it at once', () => {
  const both = { rekeyTimeMs: 10 * minute, overTimeMs: minute };
  const pair = new Pair({
    moon: { connections: [connection('moon', both)] },
    sun: { connections: [connection('sun', both)] },
  }).establish();
  pair.run(60 * minute);
  for (const host of [pair.moon, pair.sun]) {
    assert.equal(host.sas.filter(({ phase }) => phase !== 'ended').length, 1);
    assert.ok(host.eventsOf('ike-rekeyed').length >= 5);
    assert.equal(host.eventsOf('child-ended').length, 0);
    assert.equal(host.installed.size, 2);
  }
});

// RFC 7296 2.8.3
test('when it is time to authenticate again, the IKE SA says so and goes', () => {
  const pair = new Pair({ moon: { connections: [connection('moon', { reauthTimeMs: 10 * minute })] } });
  pair.establish();
  pair.run(10 * minute);
  assert.equal(pair.moon.eventsOf('reauthentication-due').length, 1);
  assert.equal(pair.moon.eventsOf('ike-ended')[0]?.failure.code, 'expired');
  assert.equal(pair.sun.eventsOf('ike-ended')[0]?.failure.code, 'deleted-by-peer');
});

test('rekeying does not put off the time to authenticate again', () => {
  const times = { rekeyTimeMs: 4 * minute, reauthTimeMs: 10 * minute, overTimeMs: minute };
  const pair = new Pair({ moon: { connections: [connection('moon', times)] } }).establish();
  pair.run(10 * minute);
  assert.equal(pair.moon.eventsOf('reauthentication-due').length, 1);
  assert.ok(pair.moon.sas.every(({ phase }) => phase === 'ended'));
});

test('a soft limit of the data plane rekeys a Child SA, a hard one removes it', () => {
  const pair = new Pair().establish();
  const expire = (kind: 'soft-expired' | 'hard-expired'): void => {
    const [sa] = pair.moon.sa.children;
    const spi = sa!.outboundSpi;
    pair.moon.input(pair.moon.sa, {
      kind: 'data-plane',
      event: { kind, protocol: 'esp', direction: 'outbound', spi, childId: 1 },
    });
    pair.settle();
  };
  expire('soft-expired');
  assert.equal(pair.moon.sa.children[0]?.generation, 1);
  expire('hard-expired');
  assert.equal(pair.moon.installed.size + pair.sun.installed.size, 0);
  assert.equal(pair.moon.eventsOf('child-ended').at(-1)?.failure.code, 'expired');
});

test('with windows of one, several wishes become one exchange after another', () => {
  const pair = new Pair().establish();
  for (let i = 0; i < 3; i++) {
    pair.moon.command({ kind: 'initiate-child', child: child('moon', { name: `child ${i}` }) });
  }
  assert.equal(pair.moon.sa.outstanding.length, 1);
  assert.equal(pair.moon.sa.queued.length, 2);
  pair.settle();
  assert.equal(pair.moon.sa.children.length, 4);
  pair.assertKeysAgree();
});

// RFC 7296 2.3
test('with windows of three on both ends, three exchanges run at once, and may be answered in any order', () => {
  const pair = new Pair({
    moon: { connections: [connection('moon', { windowSize: 3 })] },
    sun: { connections: [connection('sun', { windowSize: 3 })] },
  }).establish();
  for (let i = 0; i < 4; i++) {
    pair.moon.command({ kind: 'initiate-child', child: child('moon', { name: `child ${i}` }) });
  }
  assert.equal(pair.moon.sa.outstanding.length, 3);
  pair.collect();
  const requests = pair.wire.splice(0);
  for (const request of requests.reverse()) pair.deliver(pair.sun, request);
  pair.settle();
  assert.equal(pair.moon.sa.children.length, 5);
  pair.assertKeysAgree();
});

test('a peer that keeps one answer only gets one request at a time, whatever we would like', () => {
  const pair = new Pair({ moon: { connections: [connection('moon', { windowSize: 3 })] } }).establish();
  for (let i = 0; i < 2; i++) {
    pair.moon.command({ kind: 'initiate-child', child: child('moon', { name: `child ${i}` }) });
  }
  assert.equal(pair.moon.sa.outstanding.length, 1);
});
