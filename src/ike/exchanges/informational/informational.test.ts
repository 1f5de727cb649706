// INFORMATIONAL between two hosts: liveness, Deletes, moved peers, malformed and repeated requests.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { decodeIkeMessage, encodeIkeMessage, NotifyType } from '#wire';
import { notify } from '../../payloads/notify.ts';
import { connection } from '../../testing/connections.ts';
import { Pair } from '../../testing/pair.ts';

// RFC 7296 1.4.1
test('a Child SA deleted by one end is gone at both, with its policy, and the IKE SA stays', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'delete-child', childId: 1 });
  assert.equal(pair.moon.sa.children[0]?.phase, 'deleting');
  pair.settle();
  for (const host of [pair.moon, pair.sun]) {
    assert.equal(host.installed.size, 0);
    assert.equal(host.policies.size, 0);
    assert.equal(host.reservedSpis.size, 0);
    assert.equal(host.sa.phase, 'established');
  }
  assert.equal(pair.sun.eventsOf('child-ended')[0]?.failure.code, 'deleted-by-peer');
  assert.equal(pair.moon.eventsOf('child-ended')[0]?.failure.code, 'deleted-by-us');
});

// RFC 7296 1.4.1, 2.25.1
test('both ends delete the same Child SA at once: both answers are empty and it is gone', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'delete-child', childId: 1 });
  pair.sun.command({ kind: 'delete-child', childId: 1 });
  pair.settle();
  for (const host of [pair.moon, pair.sun]) {
    assert.equal(host.installed.size, 0);
    assert.equal(host.eventsOf('child-ended').length, 1);
    assert.equal(host.sa.phase, 'established');
  }
});

// RFC 7296 1.4.1
test('an IKE SA deleted by one end is gone at both, with its Child SAs', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'delete', reason: 'test' });
  assert.equal(pair.moon.sa.phase, 'deleting');
  pair.settle();
  assert.equal(pair.moon.eventsOf('ike-ended')[0]?.failure.code, 'deleted-by-us');
  assert.equal(pair.sun.eventsOf('ike-ended')[0]?.failure.code, 'deleted-by-peer');
  assert.equal(pair.moon.installed.size + pair.sun.installed.size, 0);
  assert.equal(pair.sun.deadline(), undefined);
});

test('both ends delete the IKE SA at once: each answers the other and both end', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'delete', reason: 'test' });
  pair.sun.command({ kind: 'delete', reason: 'test' });
  pair.settle();
  for (const host of [pair.moon, pair.sun]) {
    assert.equal(host.sa.phase, 'ended');
    // What each end wanted itself is no reason to begin anew (`close_action`).
    assert.equal(host.eventsOf('child-ended')[0]?.failure.code, 'deleted-by-us');
    assert.equal(host.eventsOf('ike-ended')[0]?.failure.code, 'deleted-by-us');
  }
});

test('a Delete of the IKE SA that nobody answers ends it when the tries are spent', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'delete', reason: 'test' });
  pair.wait(15_000);
  assert.equal(pair.moon.eventsOf('ike-ended')[0]?.failure.code, 'deleted-by-us');
});

test('an abandoned IKE SA says nothing', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'abandon', reason: 'test' });
  pair.collect();
  assert.equal(pair.wire.length, 0);
  assert.equal(pair.moon.installed.size, 0);
});

test('an ended IKE SA is inert', () => {
  const pair = new Pair().establish();
  const { sa } = pair.moon;
  pair.sun.command({ kind: 'check-liveness', reason: 'test' });
  const request = pair.take(pair.moon);
  pair.moon.command({ kind: 'abandon', reason: 'test' });
  pair.collect();
  const before = pair.moon.events.length;
  pair.moon.input(sa, {
    kind: 'message',
    local: request.destination,
    remote: request.source,
    octets: request.octets,
  });
  pair.moon.input(sa, { kind: 'timeout' });
  pair.moon.command({ kind: 'rekey-ike' }, sa);
  assert.equal(sa.poll(), undefined);
  assert.equal(pair.moon.events.length, before);
});

// RFC 7296 1.4, 2.4
test('liveness: an answer tells the round trip, no answer ends the IKE SA', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  pair.deliver(pair.sun);
  pair.wait(40);
  pair.deliver(pair.moon);
  assert.deepEqual(pair.moon.eventsOf('liveness-confirmed'), [{ kind: 'liveness-confirmed', rttMs: 40 }]);
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  pair.wait(15_000);
  assert.equal(pair.moon.eventsOf('ike-ended')[0]?.failure.code, 'no-answer');
  assert.equal(pair.moon.eventsOf('child-ended')[0]?.failure.code, 'no-answer');
});

test('liveness is checked by itself only after silence on the IKE SA and its Child SAs', () => {
  const pair = new Pair({ moon: { connections: [connection('moon', { dpdDelayMs: 10_000 })] } });
  pair.establish();
  pair.run(9_000);
  pair.moon.sa.noteInboundTraffic(pair.now);
  pair.run(9_999);
  assert.equal(pair.moon.eventsOf('liveness-confirmed').length, 0);
  pair.run(1);
  assert.equal(pair.moon.eventsOf('liveness-confirmed').length, 1);
  pair.run(10_000);
  assert.equal(pair.moon.eventsOf('liveness-confirmed').length, 2);
});

// RFC 7296 2.1, 2.3
test('a repeated request gets the same answer, and one outside the window none', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  const first = pair.take(pair.sun);
  pair.deliver(pair.sun, first);
  const answer = pair.take(pair.moon);
  pair.deliver(pair.sun, first);
  assert.deepEqual(pair.take(pair.moon).octets, answer.octets);
  pair.deliver(pair.moon, answer);
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  pair.settle();
  pair.deliver(pair.sun, first);
  assert.equal(pair.wire.length, 0);
  assert.equal(pair.sun.eventsOf('message-rejected').at(-1)?.reason, 'outside the window');
});

// RFC 7296 2.11: the answer goes to where the repetition came from, and that may be anywhere.
test('a request that is repeated without end is answered many times, and then no more', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  const request = pair.take(pair.sun);
  const source = { address: address('203.0.113.9'), port: 500 };
  pair.deliver(pair.sun, request);
  for (let i = 0; i < 1_000; i++) pair.deliver(pair.sun, { ...request, source });
  assert.equal(pair.wire.length, 65);
  pair.deliver(pair.moon);
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  pair.wire.length = 1;
  pair.settle();
  assert.deepEqual(pair.moon.sa.outstanding, []);
});

test('a changed octet anywhere makes a message nobody’s', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  const genuine = pair.take(pair.sun);
  for (let i = 0; i < genuine.octets.length; i++) {
    const octets = genuine.octets.slice();
    octets[i] = octets[i]! ^ 0x40;
    try {
      pair.deliver(pair.sun, { ...genuine, octets });
    } catch (error) {
      // The harness, which plays the demultiplexer, could not even read it.
      assert.equal((error as Error).name, 'WireError');
    }
    assert.equal(pair.wire.length, 0, `octet ${i}`);
  }
  assert.equal(pair.sun.sa.phase, 'established');
  pair.deliver(pair.sun, genuine);
  assert.equal(pair.wire.length, 1);
});

// RFC 7296 1.5
test('an unprotected Delete changes nothing', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  const genuine = pair.take(pair.sun);
  const { header } = decodeIkeMessage(genuine.octets);
  const octets = encodeIkeMessage({
    header,
    payloads: [{ type: 'D', protocolId: 1, spiSize: 0, spis: [] }],
  });
  pair.deliver(pair.sun, { ...genuine, octets });
  assert.equal(pair.wire.length, 0);
  assert.equal(pair.sun.sa.phase, 'established');
});

// RFC 7296 2.23
test('a peer whose NAT mapping moved is followed after a fresh message, and never after a repeated one', () => {
  const pair = new Pair();
  pair.natAddress = address('198.51.100.7');
  pair.establish();
  const before = pair.sun.sa.remote;
  pair.natPortOffset = 30_000;
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  const request = pair.take(pair.sun);
  pair.deliver(pair.sun, request);
  assert.deepEqual(pair.sun.sa.remote, { address: pair.natAddress, port: 34_500 });
  assert.deepEqual(pair.sun.eventsOf('peer-moved')[0]?.from, before);
  assert.equal(pair.sun.commands.filter(({ kind }) => kind === 'update-addresses').length, 2);
  pair.deliver(pair.sun, { ...request, source: before });
  assert.deepEqual(pair.sun.sa.remote, { address: pair.natAddress, port: 34_500 });
});

test('what was asked where the peer was seen before is asked anew where it is, and no silence is concluded from it', () => {
  const pair = new Pair();
  const { moon, sun } = pair;
  pair.natAddress = address('198.51.100.7');
  pair.establish();
  sun.command({ kind: 'check-liveness', reason: 'test' });
  pair.natPortOffset = 30_000;
  // Nothing gets to the mapping of before, up to the last try.
  const { tries } = sun.sa.connection.retransmit;
  while (sun.sa.outstanding[0]?.attempt !== tries) {
    pair.wait(500);
    pair.wire.length = 0;
    assert.ok(pair.now < 600_000);
  }
  moon.command({ kind: 'check-liveness', reason: 'test' });
  pair.deliver(sun);
  const lastWait = sun.sa.deadline();
  assert.ok(lastWait !== undefined);
  pair.run(lastWait - pair.now + 1_000);
  assert.equal(sun.sa.phase, 'established');
  assert.deepEqual(sun.sa.outstanding, []);
  assert.equal(sun.eventsOf('liveness-confirmed').length, 1);
});

test('a host behind a NAT does not follow a moved peer', () => {
  const pair = new Pair();
  pair.natAddress = address('198.51.100.7');
  pair.establish();
  const before = pair.moon.sa.remote;
  pair.sun.command({ kind: 'check-liveness', reason: 'test' });
  const request = pair.take(pair.moon);
  pair.deliver(pair.moon, { ...request, source: { address: address('203.0.113.9'), port: 4500 } });
  assert.deepEqual(pair.moon.sa.remote, before);
});

test('the data plane’s word that a peer moved counts only where there is no NAT in front of us', () => {
  const pair = new Pair().establish();
  const spi = pair.sun.sa.children[0]!.inboundSpi;
  const remote = { address: address('203.0.113.9'), port: 4500 };
  pair.sun.input(pair.sun.sa, {
    kind: 'data-plane',
    event: { kind: 'mapping-changed', protocol: 'esp', spi, childId: 1, remote },
  });
  assert.deepEqual(pair.sun.sa.remote, remote);
});

test('a pair that cannot follow its peer ends with the reason: it would carry nothing', () => {
  const pair = new Pair().establish();
  const spi = pair.sun.sa.children[0]!.inboundSpi;
  pair.sun.saResult = ({ kind }) =>
    kind === 'update-addresses' ? { ok: false, code: 'failed', detail: 'no way' } : { ok: true };
  const remote = { address: pair.moon.endpoint.address, port: 4_501 };
  const event = { kind: 'mapping-changed', protocol: 'esp', spi, childId: 1, remote } as const;
  pair.sun.input(pair.sun.sa, { kind: 'data-plane', event });
  pair.settle();
  assert.deepEqual(
    pair.sun.eventsOf('child-failed').map(({ failure }) => failure.detail),
    ['failed: no way'],
  );
  assert.equal(pair.sun.sa.children.length, 0);
});

// RFC 7296 2.21.2: only right behind IKE_AUTH; a rekeyed IKE SA has none.
test('the third request of an IKE SA that a rekeying made may carry any notify and ends nothing', () => {
  const pair = new Pair().establish();
  const { moon, sun } = pair;
  moon.command({ kind: 'rekey-ike' });
  pair.settle();
  for (let i = 0; i < 3; i++) {
    moon.command({ kind: 'send-notify', notify: notify(NotifyType.AUTHENTICATION_FAILED) });
    pair.settle();
  }
  assert.equal(sun.sa.phase, 'established');
  assert.equal(sun.sa.children.length, 1);
});
