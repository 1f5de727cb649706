// Synchronising Message IDs after one end was taken over: what is skipped, what is replayed, what is lost (RFC 6311).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeIkeMessage, ExchangeType } from '#wire';
import { child, connection } from '../../testing/connections.ts';
import { type Datagram, Pair } from '../../testing/pair.ts';

function pairOf(moon: boolean, sun: boolean): Pair {
  return new Pair({
    moon: { connections: [connection('moon', { messageIdSync: moon })] },
    sun: { connections: [connection('sun', { messageIdSync: sun })] },
  }).establish();
}

function idOf(datagram: Datagram): number {
  return decodeIkeMessage(datagram.octets).header.messageId;
}

/** The Message ID of the next request that a host sends. */
function nextRequest(pair: Pair, from: Pair['moon'], to: Pair['sun']): Datagram {
  from.command({ kind: 'check-liveness', reason: 'test' });
  const request = pair.take(to);
  pair.deliver(to, request);
  pair.settle();
  return request;
}

test('the successor skips what its predecessor may have sent, and both go on from there', () => {
  const pair = pairOf(true, true);
  assert.ok(pair.sun.sa.synchronizable);
  // Sun's first own request would have Message ID 0.
  pair.sun.command({ kind: 'synchronize-message-ids', skip: 5 });
  const request = pair.take(pair.moon);
  const { header } = decodeIkeMessage(request.octets);
  assert.deepEqual([header.exchangeType, header.messageId], [ExchangeType.INFORMATIONAL, 0]);
  pair.deliver(pair.moon, request);
  assert.equal(idOf(pair.wire[0]!), 0);
  pair.settle();
  assert.deepEqual(
    [pair.sun, pair.moon].map((host) => host.eventsOf('message-ids-synchronized')[0]),
    [
      { kind: 'message-ids-synchronized', nextRequestId: 5, expectedRequestId: 2 },
      { kind: 'message-ids-synchronized', nextRequestId: 2, expectedRequestId: 5 },
    ],
  );
  assert.equal(idOf(nextRequest(pair, pair.sun, pair.moon)), 5);
  assert.equal(idOf(nextRequest(pair, pair.moon, pair.sun)), 2);
});

test('a request that the successor never saw is given up, and the next one is accepted', () => {
  const pair = pairOf(true, true);
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  const lost = pair.take(pair.sun);
  assert.equal(idOf(lost), 2);
  pair.sun.command({ kind: 'synchronize-message-ids', skip: 1 });
  pair.settle();
  assert.deepEqual(pair.moon.sa.outstanding, []);
  pair.deliver(pair.sun, lost);
  assert.match(pair.sun.eventsOf('message-rejected').at(-1)?.reason ?? '', /outside the window/);
  assert.equal(idOf(nextRequest(pair, pair.moon, pair.sun)), 3);
});

test('a replayed synchronisation changes nothing and is not answered', () => {
  const pair = pairOf(true, true);
  pair.sun.command({ kind: 'synchronize-message-ids', skip: 5 });
  const request = pair.take(pair.moon);
  pair.deliver(pair.moon, request);
  pair.settle();
  nextRequest(pair, pair.sun, pair.moon);
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  pair.take(pair.sun);
  pair.deliver(pair.moon, request);
  assert.equal(pair.wire.length, 0);
  assert.equal(pair.moon.sa.outstanding.length, 1);
  assert.match(pair.moon.eventsOf('message-rejected').at(-1)?.reason ?? '', /too old/);
});

test('a repetition right behind the first is a replay too', () => {
  const pair = pairOf(true, true);
  pair.sun.command({ kind: 'synchronize-message-ids', skip: 0 });
  const request = pair.take(pair.moon);
  pair.deliver(pair.moon, request);
  pair.drop(pair.sun);
  pair.deliver(pair.moon, request);
  assert.equal(pair.wire.length, 0);
});

test('when request or answer is lost, a new request with a higher Message ID is sent', () => {
  for (const lost of ['request', 'answer'] as const) {
    const pair = pairOf(true, true);
    pair.sun.command({ kind: 'synchronize-message-ids', skip: 3 });
    if (lost === 'answer') pair.deliver(pair.moon);
    const first = pair.take(lost === 'answer' ? pair.sun : pair.moon);
    pair.wait(1000);
    pair.settle();
    assert.equal(pair.sun.eventsOf('message-ids-synchronized')[0]?.nextRequestId, 4);
    assert.equal(idOf(nextRequest(pair, pair.sun, pair.moon)), 4);
    // What was lost comes late.
    pair.deliver(first.to, first);
    pair.settle();
    assert.equal(idOf(nextRequest(pair, pair.sun, pair.moon)), 5);
    assert.equal(idOf(nextRequest(pair, pair.moon, pair.sun)), 2);
  }
});

test('without any answer the IKE SA ends as with any other request', () => {
  const pair = pairOf(true, true);
  pair.sun.command({ kind: 'synchronize-message-ids', skip: 3 });
  pair.wait(15_000);
  assert.equal(pair.sun.sa.phase, 'ended');
  assert.equal(pair.sun.eventsOf('ike-ended')[0]?.failure.code, 'no-answer');
});

test('other requests wait for the answer', () => {
  const pair = pairOf(true, true);
  pair.sun.command({ kind: 'synchronize-message-ids', skip: 3 });
  pair.sun.command({ kind: 'rekey-ike' });
  pair.take(pair.moon);
  pair.collect();
  assert.equal(pair.wire.length, 0);
  pair.wait(1000);
  pair.settle();
  assert.equal(pair.sun.eventsOf('ike-rekeyed').length, 1);
});

test('both ends were taken over at once', () => {
  const pair = pairOf(true, true);
  pair.sun.command({ kind: 'synchronize-message-ids', skip: 4 });
  pair.moon.command({ kind: 'synchronize-message-ids', skip: 7 });
  pair.settle();
  pair.run(5_000);
  assert.equal(idOf(nextRequest(pair, pair.sun, pair.moon)), 4);
  assert.equal(idOf(nextRequest(pair, pair.moon, pair.sun)), 9);
});

test('an exchange that was making an SA takes the IKE SA with it: the ends may not agree', () => {
  const pair = pairOf(true, true);
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.take(pair.sun);
  pair.sun.command({ kind: 'synchronize-message-ids', skip: 1 });
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'ended');
  assert.equal(pair.sun.sa.phase, 'ended');
  assert.equal(pair.moon.reservedSpis.size, 0);
});

test('a Child SA that was being made is said to have failed: somebody may wait for it', () => {
  const pair = pairOf(true, true);
  pair.moon.command({ kind: 'initiate-child', child: child('moon') });
  pair.take(pair.sun);
  pair.sun.command({ kind: 'synchronize-message-ids', skip: 1 });
  pair.settle();
  assert.equal(pair.moon.eventsOf('child-failed')[0]?.name, 'net');
});

test('unless both ends announced it, it is not used, and a request for it is any old message', () => {
  for (const [moon, sun] of [
    [true, false],
    [false, true],
    [false, false],
  ] as const) {
    const pair = pairOf(moon, sun);
    assert.deepEqual([pair.moon.sa.synchronizable, pair.sun.sa.synchronizable], [false, false]);
    pair.sun.command({ kind: 'synchronize-message-ids', skip: 1 });
    pair.collect();
    assert.equal(pair.wire.length, 0);
  }
});

test('the successor of a rekeyed IKE SA can be synchronised too, also before its first request', () => {
  const pair = pairOf(true, true);
  pair.moon.command({ kind: 'rekey-ike' });
  pair.settle();
  pair.moon.command({ kind: 'synchronize-message-ids', skip: 2 });
  pair.settle();
  assert.equal(idOf(nextRequest(pair, pair.moon, pair.sun)), 2);
  assert.equal(idOf(nextRequest(pair, pair.sun, pair.moon)), 0);
});
