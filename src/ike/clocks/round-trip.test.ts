// Both ends know how long a round trip takes, from the beginning on, and are not fooled by what was sent twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { connection } from '../testing/connections.ts';
import { Pair } from '../testing/pair.ts';

/** Each datagram takes 20 ms. */
function beginning(): Pair {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  pair.collect();
  return pair;
}

function hop(pair: Pair, to: 'moon' | 'sun', ms = 20): void {
  pair.wait(ms);
  pair.deliver(pair[to]);
}

test('both ends know it when the IKE SA stands, also if somebody had to think in IKE_AUTH', () => {
  const pair = beginning();
  hop(pair, 'sun');
  assert.equal(pair.sun.sa.roundTripMs, undefined);
  hop(pair, 'moon');
  assert.equal(pair.moon.sa.roundTripMs, 40);
  hop(pair, 'sun');
  assert.equal(pair.sun.sa.roundTripMs, 40);
  // A second passes before the answer leaves.
  hop(pair, 'moon', 400);
  assert.equal(pair.moon.sa.phase, 'established');
  assert.equal(pair.moon.sa.roundTripMs, 40);
});

test('later answers bring it up to date, and a rekeyed IKE SA knows it as well', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  pair.collect();
  hop(pair, 'sun', 70);
  hop(pair, 'moon', 70);
  assert.equal(pair.moon.sa.roundTripMs, 140);
  pair.moon.command({ kind: 'rekey-ike' });
  pair.collect();
  hop(pair, 'sun', 10);
  hop(pair, 'moon', 10);
  assert.deepEqual([pair.moon.eventsOf('ike-rekeyed').length, pair.moon.sa.roundTripMs], [1, 20]);
});

test('an answer to a request that was sent twice tells nothing', () => {
  const pair = beginning();
  pair.drop(pair.sun);
  pair.wait(1_000);
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  assert.equal(pair.moon.sa.roundTripMs, undefined);
  hop(pair, 'sun');
  hop(pair, 'moon');
  assert.equal(pair.moon.sa.roundTripMs, 40, 'IKE_AUTH was sent once');
});

test('nor does IKE_AUTH to a responder whose first answer was lost', () => {
  const pair = beginning();
  pair.deliver(pair.sun);
  pair.drop(pair.moon);
  pair.wait(1_000);
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  pair.deliver(pair.sun);
  assert.equal(pair.sun.sa.phase, 'established');
  assert.equal(pair.sun.sa.roundTripMs, undefined);
});

/** Liveness checks that are answered after so many milliseconds each. */
function answeredAfter(pair: Pair, ...all: readonly number[]): void {
  for (const ms of all) {
    pair.moon.command({ kind: 'check-liveness', reason: 'test' });
    pair.collect();
    hop(pair, 'sun', ms / 2);
    hop(pair, 'moon', ms / 2);
  }
}

test('an answer is late after three round trips, as long as little is known of the path', () => {
  const pair = beginning();
  hop(pair, 'sun');
  hop(pair, 'moon');
  assert.equal(pair.moon.sa.answerWithinMs, 120);
});

test('one quick answer on a path of slow ones makes no other one late, nor do many quick ones make us impatient', () => {
  const pair = new Pair().establish();
  answeredAfter(pair, 200, 220, 60, 200, 180, 220, 200, 60);
  assert.equal(pair.moon.sa.roundTripMs, 60);
  assert.ok(pair.moon.sa.answerWithinMs! > 300, `${pair.moon.sa.answerWithinMs} ms`);
  answeredAfter(pair, ...new Array<number>(60).fill(40));
  const within = pair.moon.sa.answerWithinMs!;
  assert.ok(within >= 120 && within < 125, `${within} ms`);
});

// RFC 4555 3.5
test('nor does one to a request that went out again because of a move', () => {
  const mobile = (name: 'moon' | 'sun') => ({ connections: [connection(name, { mobike: true })] });
  const pair = new Pair({ moon: mobile('moon'), sun: mobile('sun') });
  pair.moon.initiate(pair.sun.endpoint);
  pair.collect();
  for (const to of ['sun', 'moon', 'sun', 'moon'] as const) hop(pair, to);
  assert.equal(pair.moon.sa.roundTripMs, 40);
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  pair.drop(pair.sun);
  pair.wait(3_000);
  pair.moon.command({ kind: 'move', local: address('198.51.100.9') });
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  assert.equal(pair.moon.sa.roundTripMs, 40, 'the liveness check went out from two places');
  pair.drop(pair.sun);
  pair.wait(1_000);
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  assert.equal(pair.moon.sa.roundTripMs, 40, 'the update went out twice');
});
