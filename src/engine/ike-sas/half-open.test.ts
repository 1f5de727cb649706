// What strangers can make a host hold (RFC 7296 2.6): cookies, limits, and an end to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type Endpoint } from '#sa';
import { decodeIkeMessage, encodeIkeMessage, NotifyType } from '#wire';
import type { HalfOpenLimits } from '../configuration.ts';
import { addresses, configuration, connection } from '../testing/configurations.ts';
import { EnginePair } from '../testing/two-engines.ts';

const limits: HalfOpenLimits = {
  cookieThreshold: 4,
  cookieThresholdPerSource: 2,
  halfOpenMax: 6,
  halfOpenTimeoutMs: 10_000,
};

function pairWith(change: Partial<HalfOpenLimits> = {}): EnginePair {
  return new EnginePair({
    sun: configuration('sun', {
      connections: [connection('sun', { remoteAddresses: [{ kind: 'any' }] })],
      halfOpen: { ...limits, ...change },
    }),
  }).start();
}

function strangerAt(index: number, port = 5000): Endpoint {
  return { address: address(`203.0.113.${index}`), port };
}

/** An IKE_SA_INIT request of moon's making. */
function initRequest(pair: EnginePair): Uint8Array {
  pair.moon.command({ kind: 'initiate', child: 'net' });
  return pair.wire.shift()!.octets;
}

function isCookieDemand(octets: Uint8Array): boolean {
  const { header, payloads } = decodeIkeMessage(octets);
  const [first] = payloads;
  return (
    header.responderSpi === '0000000000000000' &&
    first?.type === 'N' &&
    first.notifyType === NotifyType.COOKIE
  );
}

test('beyond the threshold everybody is asked for a cookie, in fewer octets than the request had', () => {
  const pair = pairWith();
  const request = initRequest(pair);
  for (let i = 1; i <= 5; i++) pair.sun.receive(request, strangerAt(i));
  assert.equal(pair.sun.engine.tables().halfOpen, 4);
  assert.deepEqual(
    pair.sun.sent.map(({ octets }) => isCookieDemand(octets)),
    [false, false, false, false, true],
  );
  assert.ok(pair.sun.sent[4]!.octets.length < request.length);
  assert.equal(pair.sun.eventsOf('cookie-demanded').length, 1);
});

test('a first request that is longer than any has to be is refused, and leaves nothing', () => {
  const pair = pairWith();
  const { header, payloads } = decodeIkeMessage(initRequest(pair));
  const ofLength = (length: number): Uint8Array => {
    const bytes = encodeIkeMessage({ header, payloads }).length + 4;
    return encodeIkeMessage({
      header,
      payloads: [...payloads, { type: 'V', data: new Uint8Array(length - bytes) }],
    });
  };
  pair.sun.receive(ofLength(10_001), strangerAt(1));
  assert.equal(pair.sun.engine.tables().halfOpen, 0);
  const [ignored] = pair.sun.eventsOf('datagram-ignored');
  assert.match(ignored?.detail ?? '', /10001 octets/);
  pair.sun.receive(ofLength(10_000), strangerAt(1));
  assert.equal(pair.sun.engine.tables().halfOpen, 1);
  assert.equal(pair.sun.sent.length, 1);
});

// RFC 7296 2.1: a repeated request has the same answer again, which may be longer, and go to whomever the source names.
test('a request that is repeated without end is answered a few times only', () => {
  const pair = pairWith();
  const request = initRequest(pair);
  for (let i = 0; i < 1_000; i++) pair.sun.receive(request, strangerAt(1));
  assert.equal(pair.sun.sent.length, 17);
  assert.equal(pair.sun.engine.tables().halfOpen, 1);
});

test('one source is asked earlier, whatever ports it uses', () => {
  const pair = pairWith();
  const request = initRequest(pair);
  for (let i = 1; i <= 3; i++) pair.sun.receive(request, strangerAt(1, 5000 + i));
  assert.deepEqual(
    pair.sun.sent.map(({ octets }) => isCookieDemand(octets)),
    [false, false, true],
  );
});

test('who returns the cookie is let in', () => {
  const pair = pairWith({ cookieThreshold: 0 });
  const id = pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.settle();
  assert.equal(pair.sun.eventsOf('cookie-demanded').length, 1);
  assert.deepEqual(pair.moon.results.get(id), { ok: true, count: 1 });
  assert.equal(pair.sun.engine.tables().halfOpen, 0);
});

test('a cookie is worth nothing elsewhere, nor after its secret is gone', () => {
  const pair = pairWith({ cookieThreshold: 0 });
  pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.deliver(pair.wire.shift()!);
  pair.deliver(pair.wire.shift()!);
  const withCookie = pair.wire.shift()!;
  pair.sun.receive(withCookie.octets, strangerAt(1));
  assert.equal(pair.sun.engine.tables().halfOpen, 0, 'another address');
  pair.now += 600_000;
  pair.deliver(withCookie);
  assert.equal(pair.sun.engine.tables().halfOpen, 0, 'ten minutes later');
  assert.equal(pair.sun.eventsOf('cookie-demanded').length, 3);
});

test('who is really there, and returns its cookies, takes no more than its share', () => {
  const pair = pairWith({ halfOpenMax: 40 });
  for (let i = 0; i < 100; i++) {
    pair.moon.crash();
    const request = initRequest(pair);
    const source = strangerAt(1, 5_000 + i);
    const before = pair.sun.sent.length;
    pair.sun.receive(request, source);
    const [answer] = pair.sun.sent.slice(before);
    if (answer === undefined || !isCookieDemand(answer.octets)) continue;
    pair.moon.receive(answer.octets, { address: addresses.sun, port: 500 });
    pair.sun.receive(pair.wire.pop()!.octets, source);
  }
  assert.equal(pair.sun.engine.tables().halfOpen, 20);
});

test('there is an end to half-open IKE SAs: in number, and in time', () => {
  const pair = pairWith({ cookieThreshold: 100, cookieThresholdPerSource: 100 });
  const request = initRequest(pair);
  for (let i = 1; i <= 9; i++) pair.sun.receive(request, strangerAt(i));
  assert.deepEqual(
    [pair.sun.engine.tables().halfOpen, pair.sun.engine.tables().ikeSas],
    [limits.halfOpenMax, limits.halfOpenMax],
  );
  assert.equal(
    pair.sun.eventsOf('datagram-ignored').filter(({ reason }) => reason === 'half-open-limit').length,
    3,
  );
  pair.cut = true;
  pair.run(limits.halfOpenTimeoutMs);
  const { halfOpen, ikeSas, reservedSpis, deadlines } = pair.sun.engine.tables();
  assert.deepEqual([halfOpen, ikeSas, reservedSpis, deadlines], [0, 0, 0, 0]);
});
