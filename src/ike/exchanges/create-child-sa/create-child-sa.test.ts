// CREATE_CHILD_SA between two hosts: additional and rekeyed Child SAs, rekeyed IKE SAs, and what happens when both do it at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ke, replacedLingerMs } from '#sa';
import { block, child, connection, espProposal, ikeProposal } from '../../testing/connections.ts';
import type { Host } from '../../testing/host.ts';
import { Pair } from '../../testing/pair.ts';

function withGroups(...groups: readonly number[]): Pair {
  const proposals = [espProposal(...groups)];
  return new Pair({
    moon: { connections: [connection('moon', { children: [child('moon', { proposals })] })] },
    sun: { connections: [connection('sun', { children: [child('sun', { proposals })] })] },
  }).establish();
}

function assertOnePair(pair: Pair): void {
  pair.assertKeysAgree();
  for (const host of [pair.moon, pair.sun]) {
    assert.equal(host.installed.size, 2, host.name);
    assert.equal(host.reservedSpis.size, 1, host.name);
    assert.equal(host.policies.size, 1, host.name);
    const [only] = host.sa.children;
    assert.equal(only?.outboundInUse, true, host.name);
    assert.equal(host.outboundOfChild.get(only.childId), only.outboundSpi, host.name);
  }
}

/** The data plane of a host has no room from now on. */
function refuseInstalls(host: Host): void {
  host.saResult = (command) =>
    command.kind === 'install' ? { ok: false, code: 'failed', detail: 'no room' } : { ok: true };
}

function firstInbound(host: Host): void {
  const newest = host.sa.children.at(-1)!;
  host.input(host.sa, {
    kind: 'data-plane',
    event: { kind: 'first-inbound', protocol: 'esp', spi: newest.inboundSpi, childId: newest.childId },
  });
}

// RFC 7296 1.3.3, 2.8
test('a rekeyed Child SA is made before the old one breaks', () => {
  const pair = new Pair().establish();
  const { moon, sun } = pair;
  const old = moon.sa.children[0]!;
  moon.command({ kind: 'rekey-child', childId: 1 });
  pair.deliver(sun);
  // The responder can receive on both and still sends on the old one.
  assert.equal(sun.sasOf('inbound').length, 2);
  assert.equal(sun.outboundOfChild.get(1), old.inboundSpi);
  pair.deliver(moon);
  // The initiator sends on the new one at once.
  assert.notEqual(moon.outboundOfChild.get(1), old.outboundSpi);
  pair.deliver(sun);
  assert.notEqual(sun.outboundOfChild.get(1), old.inboundSpi);
  pair.deliver(moon);
  assertOnePair(pair);
  assert.equal(moon.sa.children[0]?.generation, 1);
  assert.equal(moon.eventsOf('child-rekeyed').length, 1);
  assert.equal(sun.eventsOf('child-rekeyed').length, 1);
  assert.ok(moon.eventsOf('child-ended').every(({ failure }) => failure.code === 'replaced'));
});

// RFC 7296 2.8
test('both ends receive on a replaced pair for a while after its Delete, which overtakes packets, and not on a pair that just ends', () => {
  const pair = new Pair().establish();
  const removals = (host: Host) =>
    host.commands.flatMap((command) =>
      command.kind === 'remove' ? [[command.direction, command.lingerMs]] : [],
    );
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.settle();
  for (const host of [pair.moon, pair.sun]) {
    assert.deepEqual(
      removals(host),
      [
        ['inbound', replacedLingerMs],
        ['outbound', undefined],
      ],
      host.name,
    );
    host.commands.length = 0;
  }
  pair.moon.command({ kind: 'delete-child', childId: 1 });
  pair.settle();
  for (const host of [pair.moon, pair.sun]) {
    assert.deepEqual(
      removals(host),
      [
        ['inbound', undefined],
        ['outbound', undefined],
      ],
      host.name,
    );
  }
});

// RFC 7296 2.8
test('the responder of a rekeying moves its traffic as soon as some comes on the new pair', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.deliver(pair.sun);
  firstInbound(pair.sun);
  pair.sun.drain();
  assert.equal(pair.sun.outboundOfChild.get(1), pair.sun.sa.children[1]?.outboundSpi);
});

test('when the answer to a rekeying is lost, no second pair is made', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.deliver(pair.sun);
  pair.drop(pair.moon);
  pair.run(2000);
  assertOnePair(pair);
});

test('perfect forward secrecy: the rekeyed pair uses the configured group', () => {
  const pair = withGroups(Ke.ECP_256);
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.settle();
  assert.equal(pair.moon.sa.children[0]?.suite.ke, Ke.ECP_256);
  assertOnePair(pair);
});

// RFC 7296 1.3, 2.17
test('perfect forward secrecy: a responder that wants another group gets it in a second try', () => {
  const moonChild = child('moon', { proposals: [espProposal(Ke.CURVE25519, Ke.ECP_256)] });
  const sunChild = child('sun', { proposals: [espProposal(Ke.ECP_256)] });
  const pair = new Pair({
    moon: { connections: [connection('moon', { children: [moonChild] })] },
    sun: { connections: [connection('sun', { children: [sunChild] })] },
  }).establish();
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.settle();
  assert.equal(pair.moon.sa.children[0]?.suite.ke, Ke.ECP_256);
  assertOnePair(pair);
  assert.equal(pair.moon.eventsOf('child-failed').length, 0);
});

// RFC 7296 1.3.1
test('an additional Child SA stands beside the first', () => {
  const other = block('10.3.0.0/16');
  const extra = child('moon', { name: 'other', localSelectors: [other] });
  const pair = new Pair({
    sun: {
      connections: [
        connection('sun', {
          children: [child('sun'), child('sun', { name: 'other', remoteSelectors: [other] })],
        }),
      ],
    },
  }).establish();
  pair.moon.command({ kind: 'initiate-child', child: extra });
  pair.settle();
  assert.equal(pair.moon.sa.children.length, 2);
  assert.equal(pair.sun.sa.children[1]?.name, 'other');
  assert.equal(pair.moon.policies.size, 2);
  pair.assertKeysAgree();
});

test('a refused additional Child SA leaves no SPI reserved', () => {
  const pair = new Pair().establish();
  const extra = child('moon', { name: 'other', remoteSelectors: [block('172.16.0.0/12')] });
  pair.moon.command({ kind: 'initiate-child', child: extra });
  pair.settle();
  assert.equal(pair.moon.eventsOf('child-failed')[0]?.failure.code, 'ts-unacceptable');
  assertOnePair(pair);
});

/** Both requests are on their way before either arrives; `order` says who is served first. */
function rekeyChildAtOnce(pair: Pair, order: readonly Host[]): void {
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.sun.command({ kind: 'rekey-child', childId: 1 });
  for (const host of order) pair.deliver(host);
  pair.settle();
}

// RFC 7296 2.8.1, 2.25.1
test('both ends rekey the same Child SA at once: one pair survives, whatever the order of messages', () => {
  const winners = new Set<string>();
  for (let seed = 0; seed < 8; seed++) {
    for (const flip of [false, true]) {
      const pair = new Pair({ moon: { seed: `moon ${seed}` }, sun: { seed: `sun ${seed}` } }).establish();
      const { moon, sun } = pair;
      rekeyChildAtOnce(pair, flip ? [sun, moon, moon, sun] : [moon, sun, sun, moon]);
      assertOnePair(pair);
      const lost = moon.eventsOf('collision').concat(sun.eventsOf('collision'));
      assert.equal(lost.filter(({ outcome }) => outcome.includes('goes')).length, 1);
      winners.add(moon.eventsOf('collision')[0]!.outcome);
    }
  }
  assert.equal(winners.size, 2, 'each end wins for some seed');
});

// RFC 7296 2.8.1
test('both ends rekey a Child SA, but one request is lost: the late one finds nothing to rekey', () => {
  const pair = new Pair().establish();
  const { moon, sun } = pair;
  moon.command({ kind: 'rekey-child', childId: 1 });
  pair.drop(sun);
  sun.command({ kind: 'rekey-child', childId: 1 });
  pair.settle();
  assert.equal(moon.sa.children[0]?.generation, 1);
  // Moon's request goes out again.
  pair.run(3000);
  assertOnePair(pair);
  assert.equal(moon.sa.children[0]?.generation, 1);
  assert.equal(moon.eventsOf('child-failed').length, 0);
});

// RFC 7296 2.25.1
test('a Child SA is deleted by one end while the other rekeys it', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.sun.command({ kind: 'delete-child', childId: 1 });
  pair.settle();
  assert.equal(pair.moon.installed.size + pair.sun.installed.size, 0);
  assert.equal(pair.moon.reservedSpis.size + pair.sun.reservedSpis.size, 0);
  pair.run(60_000);
  assert.equal(pair.moon.sa.phase, 'established');
  assert.equal(pair.moon.installed.size, 0);
});

test('a Child SA deleted by the end that is just rekeying it is gone in both generations', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.moon.command({ kind: 'delete-child', childId: 1 });
  pair.settle();
  assert.equal(pair.moon.installed.size + pair.sun.installed.size, 0);
  assert.equal(pair.moon.reservedSpis.size + pair.sun.reservedSpis.size, 0);
});

test('two wishes to rekey the same Child SA are one rekeying, however wide the window', () => {
  const pair = new Pair({
    moon: { connections: [connection('moon', { windowSize: 4 })] },
    sun: { connections: [connection('sun', { windowSize: 4 })] },
  }).establish();
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  assert.equal(pair.moon.sa.outstanding.length, 1);
  pair.settle();
  assert.equal(pair.moon.sa.children[0]?.generation, 1);
  assertOnePair(pair);
});

function assertIkeRekeyed(pair: Pair): void {
  for (const host of [pair.moon, pair.sun]) {
    const live = host.sas.filter(({ phase }) => phase !== 'ended');
    assert.equal(live.length, 1, `${host.name} has ${live.map(({ phase }) => phase).join()}`);
    assert.equal(live[0]?.phase, 'established');
    assert.equal(live[0].children.length, 1, host.name);
  }
  assert.equal(pair.moon.sa.initiatorSpi, pair.sun.sa.initiatorSpi);
  assert.equal(pair.moon.sa.responderSpi, pair.sun.sa.responderSpi);
  assert.notEqual(pair.moon.sas[0], pair.moon.sa);
  assertOnePair(pair);
  // The new IKE SA works in both directions. An answer to a repeated request was a sign of life before.
  const answered = (): number[] =>
    [pair.moon, pair.sun].map((host) => host.eventsOf('liveness-confirmed').length);
  const [moon, sun] = answered();
  pair.moon.command({ kind: 'check-liveness', reason: 'test' });
  pair.sun.command({ kind: 'check-liveness', reason: 'test' });
  pair.settle();
  assert.deepEqual(answered(), [moon! + 1, sun! + 1]);
}

// RFC 7296 1.3.2, 2.18
test('a rekeyed IKE SA takes the Child SAs over, and the old one is deleted', () => {
  const pair = new Pair().establish();
  const [before] = pair.moon.sas;
  pair.moon.command({ kind: 'rekey-ike' });
  assert.equal(before?.phase, 'rekeying');
  pair.settle();
  assertIkeRekeyed(pair);
  assert.equal(before?.successor, pair.moon.sa);
  assert.equal(pair.moon.sa.role, 'initiator');
  assert.equal(pair.moon.eventsOf('ike-ended')[0]?.failure.code, 'replaced');
  assert.equal(pair.sun.eventsOf('ike-ended')[0]?.failure.code, 'replaced');
  assert.equal(pair.moon.eventsOf('child-ended').length, 0);
});

// RFC 7296 2.8, 2.2
test('the original responder can rekey the IKE SA too, and is the initiator of the new one', () => {
  const pair = new Pair().establish();
  pair.sun.command({ kind: 'rekey-ike' });
  pair.settle();
  assertIkeRekeyed(pair);
  assert.equal(pair.sun.sa.role, 'initiator');
  assert.equal(pair.moon.sa.role, 'responder');
});

test('Child SAs can be rekeyed and deleted on the new IKE SA', () => {
  const pair = new Pair().establish();
  pair.sun.command({ kind: 'rekey-ike' });
  pair.settle();
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.settle();
  assertOnePair(pair);
  pair.sun.command({ kind: 'delete-child', childId: 1 });
  pair.settle();
  assert.equal(pair.moon.installed.size, 0);
});

test('an IKE SA can be rekeyed with another group than it was made with', () => {
  const pair = new Pair({
    moon: { connections: [connection('moon', { proposals: [ikeProposal(Ke.CURVE25519, Ke.ECP_256)] })] },
    sun: { connections: [connection('sun', { proposals: [ikeProposal(Ke.CURVE25519, Ke.ECP_256)] })] },
  }).establish();
  pair.moon.command({ kind: 'rekey-ike' });
  pair.settle();
  assertIkeRekeyed(pair);
});

test('when the answer to an IKE rekeying is lost, the old IKE SA repeats it', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'rekey-ike' });
  pair.deliver(pair.sun);
  pair.drop(pair.moon);
  pair.run(2000);
  assertIkeRekeyed(pair);
});

test('when the Delete of the replaced IKE SA never comes, it ends by itself', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'rekey-ike' });
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  pair.wire.length = 0;
  pair.moon.command({ kind: 'abandon', reason: 'test' }, pair.moon.sas[0]!);
  pair.wait(30_000);
  assert.equal(pair.sun.sas[0]?.phase, 'ended');
  assert.equal(pair.sun.sa.phase, 'established');
});

// RFC 7296 2.8.2, 2.25.2
test('both ends rekey the IKE SA at once: one successor inherits, whatever the order of messages', () => {
  const winners = new Set<string>();
  for (let seed = 0; seed < 8; seed++) {
    for (const flip of [false, true]) {
      const pair = new Pair({ moon: { seed: `moon ${seed}` }, sun: { seed: `sun ${seed}` } }).establish();
      const { moon, sun } = pair;
      moon.command({ kind: 'rekey-ike' });
      sun.command({ kind: 'rekey-ike' });
      for (const host of flip ? [sun, moon, moon, sun] : [moon, sun, sun, moon]) pair.deliver(host);
      pair.settle();
      assertIkeRekeyed(pair);
      winners.add(moon.sa.role);
    }
  }
  assert.equal(winners.size, 2, 'each end wins for some seed');
});

test('both ends rekey the IKE SA, but one finishes before it sees the other’s request', () => {
  const pair = new Pair().establish();
  const { moon, sun } = pair;
  sun.command({ kind: 'rekey-ike' });
  pair.drop(moon);
  moon.command({ kind: 'rekey-ike' });
  // Sun has a request of its own under way and answers; moon finishes and deletes.
  pair.settle();
  assertIkeRekeyed(pair);
  pair.run(5000);
  assert.equal(sun.sas.filter(({ phase }) => phase !== 'ended').length, 1);
});

// RFC 7296 2.25.2
test('an IKE SA is rekeyed by one end while the other rekeys a Child SA: both get done', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'rekey-ike' });
  pair.sun.command({ kind: 'rekey-child', childId: 1 });
  pair.run(30_000);
  assertIkeRekeyed(pair);
  assert.ok((pair.moon.sa.children[0]?.generation ?? 0) >= 1);
});

// RFC 7296 2.25.2
test('an IKE SA is deleted by one end while the other rekeys it', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'rekey-ike' });
  pair.sun.command({ kind: 'delete', reason: 'test' });
  pair.settle();
  for (const host of [pair.moon, pair.sun]) {
    assert.ok(host.sas.every(({ phase }) => phase === 'ended'));
    assert.equal(host.installed.size, 0);
  }
});

// RFC 7296 2.8: nobody knows how long the packets of the old one last, so the next try is not far.
test('a rekeying that the peer cannot install leaves the old Child SA as it was, and is tried again soon', () => {
  const pair = new Pair().establish();
  const { moon, sun } = pair;
  const old = moon.sa.children[0]!;
  refuseInstalls(sun);
  moon.command({ kind: 'rekey-child', childId: 1 });
  pair.deliver(sun);
  // The Delete of what could not be installed overtakes the answer.
  const answer = pair.take(moon);
  pair.settle();
  pair.deliver(moon, answer);
  pair.settle();
  assert.equal(moon.eventsOf('child-failed').length, 1);
  assert.equal(sun.sa.children[0]?.inboundSpi, old.outboundSpi);

  sun.saResult = () => ({ ok: true });
  pair.run(2_500);
  assertOnePair(pair);
  assert.notEqual(moon.sa.children[0]?.inboundSpi, old.inboundSpi);
});
