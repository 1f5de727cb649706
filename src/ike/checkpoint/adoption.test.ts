// An IKE SA whose process died goes on in another: same keys, same windows, no nonce twice, and all of it is rekeyed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type SaCommand } from '#sa';
import { decodeIkeMessage, ExchangeType } from '#wire';
import { connection } from '../testing/connections.ts';
import type { Host } from '../testing/host.ts';
import { type Datagram, Pair } from '../testing/pair.ts';

function pair(): Pair {
  return new Pair({ moon: { checkpoints: true }, sun: { checkpoints: true } }).establish();
}

/** The process ends and starts again, with what it would have stored. */
function crash(host: Host): void {
  const stored = host.checkpoint();
  assert.ok(stored, `${host.name} could not be taken over`);
  host.restart(stored);
}

/** Every exchange type that is seen while the wire comes to rest. */
function exchanges(two: Pair): number[] {
  const types: number[] = [];
  two.collect();
  for (let datagram = two.wire.shift(); datagram !== undefined; datagram = two.wire.shift()) {
    types.push(decodeIkeMessage(datagram.octets).header.exchangeType);
    two.deliver(datagram.to, datagram);
  }
  return types;
}

function extensions(host: Host): Extract<SaCommand, { kind: 'extend-reservation' }>[] {
  return host.commands.filter((command) => command.kind === 'extend-reservation');
}

for (const name of ['moon', 'sun'] as const) {
  test(`given that ${name} starts again, both go on in the same IKE SA and rekey everything, with no IKE_SA_INIT`, () => {
    const two = pair();
    const host = two[name];
    const peer = name === 'moon' ? two.sun : two.moon;
    const { initiatorSpi } = host.sa;
    const before = host.sasOf('inbound').map(({ spi }) => spi);
    crash(host);
    assert.equal(host.sa.initiatorSpi, initiatorSpi);
    assert.deepEqual(
      host.sa.children.map(({ inboundSpi }) => inboundSpi),
      before,
    );
    // The peer says something first, with the next Message ID of its own.
    peer.command({ kind: 'check-liveness', reason: 'test' });
    assert.deepEqual(exchanges(two), [ExchangeType.INFORMATIONAL, ExchangeType.INFORMATIONAL]);
    host.command({ kind: 'rekey-everything' });
    two.run(2_000);
    assert.notEqual(host.sa.initiatorSpi, initiatorSpi);
    assert.equal(host.sa.phase, 'established');
    assert.equal(peer.sa.initiatorSpi, host.sa.initiatorSpi);
    const after = host.sasOf('inbound').map(({ spi }) => spi);
    assert.equal(after.length, 1);
    assert.notDeepEqual(after, before);
    two.assertKeysAgree();
    assert.deepEqual(host.refusals, []);
    assert.deepEqual(
      [...host.eventsOf('ike-ended'), ...peer.eventsOf('ike-ended')].map(({ failure }) => failure.code),
      ['replaced', 'replaced'],
    );
  });
}

test('Child SAs are rekeyed before the IKE SA: traffic depends on them', () => {
  const two = pair();
  crash(two.moon);
  two.moon.command({ kind: 'rekey-everything' });
  two.settle();
  assert.equal(two.moon.eventsOf('child-rekeyed').length, 1);
  assert.equal(two.moon.eventsOf('ike-rekeyed').length, 0);
  two.run(600);
  assert.equal(two.moon.eventsOf('ike-rekeyed').length, 1);
});

test('an inbound SA goes on behind what it is known to have received, and never beyond its reservation', () => {
  const two = pair();
  const { spi } = two.moon.sasOf('inbound')[0]!;
  for (const [known, last] of [
    [{ high: 0, low: 17 }, 17],
    [{ high: 0, low: 100_000 }, 256],
    [{ high: 1, low: 0 }, 256],
  ] as const) {
    const again = pair();
    const inbound = again.moon.sasOf('inbound')[0]!;
    again.moon.received.set(inbound.spi, known);
    again.moon.commands.length = 0;
    crash(again.moon);
    again.collect();
    assert.deepEqual(again.moon.sasOf('inbound')[0]?.reservation, {
      last: { high: 0, low: last },
      limit: { high: 0, low: 256 },
    });
    const outbound = again.moon.sasOf('outbound')[0]!;
    assert.deepEqual(outbound.reservation?.last, outbound.reservation?.limit);
  }
  // Of another SA nothing is known by that.
  two.moon.received.set(spi + 1, { high: 0, low: 17 });
  two.moon.commands.length = 0;
  crash(two.moon);
  two.collect();
  assert.equal(two.moon.sasOf('inbound')[0]?.reservation?.last.low, 256);
});

test('Child SAs are installed with nothing reserved, and behind all that may have been used or received', () => {
  const two = pair();
  const first = two.moon.sasOf('outbound')[0]?.reservation;
  assert.deepEqual(first?.last, { high: 0, low: 0 });
  two.moon.commands.length = 0;
  crash(two.moon);
  two.collect();
  for (const direction of ['inbound', 'outbound'] as const) {
    const { spi, reservation } = two.moon.sasOf(direction)[0]!;
    assert.deepEqual(reservation?.limit, reservation?.last);
    assert.ok(reservation!.last.low > 0);
    const [extension, ...more] = extensions(two.moon).filter((one) => one.spi === spi);
    assert.ok(extension!.limit.low > reservation!.last.low);
    assert.deepEqual(more, []);
  }
  assert.deepEqual(two.moon.sasOf('outbound')[0]?.reservation?.last, first?.limit);
  // And again: each life begins where the one before was allowed to get to.
  const limit = extensions(two.moon).find(({ direction }) => direction === 'outbound')?.limit;
  crash(two.moon);
  two.collect();
  assert.equal(two.moon.sasOf('outbound')[0]?.reservation?.last.low, limit?.low);
});

test('a data plane that runs low gets as much as it uses in a second', () => {
  const two = pair();
  const [sa] = two.moon.sasOf('inbound');
  const low = (last: number): number => {
    const event = {
      kind: 'reservation-low',
      protocol: 'esp',
      direction: 'inbound',
      spi: sa!.spi,
      childId: sa!.childId,
      last: { high: 0, low: last },
    } as const;
    two.moon.input(two.moon.sa, { kind: 'data-plane', event });
    two.collect();
    return extensions(two.moon).at(-1)!.limit.low - last;
  };
  assert.equal(sa!.reservation?.limit.low, 256);
  // A burst may be a rate: the blocks grow, but step by step.
  assert.equal(low(129), 8 * 256);
  two.wait(10);
  assert.equal(low(129 + 1024), 64 * 256);
  // 50 packets a second, after the burst: the block shrinks, but what is promised stays.
  two.wait(20_480);
  assert.equal(low(129 + 2048), 64 * 256 - 1024);
  for (let at = 129 + 2048; two.now < 600_000; at += 1024) {
    two.wait(20_480);
    low(at);
  }
  // Now a block is what comes in a second, which the next step may enlarge eight times.
  two.wait(20_480);
  assert.equal(low(100_000_000), 8 * 50);
});

test('an SA that replaces a busy one begins with as much', () => {
  const two = pair();
  const [sa] = two.moon.sasOf('outbound');
  const event = {
    kind: 'reservation-low',
    protocol: 'esp',
    direction: 'outbound',
    spi: sa!.spi,
    childId: sa!.childId,
    last: { high: 0, low: 40_000 },
  } as const;
  two.moon.input(two.moon.sa, { kind: 'data-plane', event });
  two.moon.command({ kind: 'rekey-child', childId: sa!.childId });
  two.settle();
  assert.equal(two.moon.sasOf('outbound')[0]?.reservation?.limit.low, 8 * 65_536);
});

test('no IV of an IKE SA is used for two messages, however often its process starts again', () => {
  const two = pair();
  const seen = new Map<string, string>();
  let messages = 0;
  for (let round = 0; round < 12; round++) {
    const [host, peer] = round % 2 === 0 ? [two.moon, two.sun] : [two.sun, two.moon];
    crash(host);
    (round % 3 === 0 ? host : peer).command({ kind: 'check-liveness', reason: 'test' });
    two.collect();
    for (let datagram = two.wire.shift(); datagram !== undefined; datagram = two.wire.shift()) {
      const { octets } = datagram;
      const text = Buffer.from(octets).toString('hex');
      const { header } = decodeIkeMessage(octets);
      const key = `${header.initiatorSpi} ${header.initiator} ${text.slice(64, 80)}`;
      assert.ok((seen.get(key) ?? text) === text, `the IV of ${key} was used twice`);
      seen.set(key, text);
      messages++;
      two.deliver(datagram.to, datagram);
    }
  }
  assert.ok(messages >= 24, `${messages}`);
});

test('a request that was under way goes out again as the same octets, and its answer is taken', () => {
  const two = pair();
  two.moon.command({ kind: 'check-liveness', reason: 'test' });
  const lost = two.take(two.sun);
  crash(two.moon);
  two.moon.wake();
  const again = two.take(two.sun);
  assert.deepEqual(again.octets, lost.octets);
  two.deliver(two.sun, again);
  two.deliver(two.moon);
  assert.equal(two.moon.eventsOf('liveness-confirmed').length, 1);
  two.run(2_000);
  assert.equal(two.moon.sa.phase, 'established');
});

test('a repeated request gets the very octets that answered it before the crash', () => {
  const two = pair();
  two.moon.command({ kind: 'check-liveness', reason: 'test' });
  const request = two.take(two.sun);
  two.deliver(two.sun, request);
  const answer = two.take(two.moon);
  crash(two.sun);
  two.deliver(two.sun, request);
  const answers = two.wire.filter(({ to }) => to === two.moon).map(({ octets }) => octets);
  assert.deepEqual(answers[0], answer.octets);
});

/** Moon rekeys the IKE SA, and the answer of sun, who stores both, is lost with sun. */
function answerLostWithItsSender(two: Pair): { readonly request: Datagram; readonly answer: Datagram } {
  const { moon, sun } = two;
  const former = sun.sa;
  moon.command({ kind: 'rekey-ike' });
  const request = two.take(sun);
  two.deliver(sun, request);
  const answer = two.take(moon);
  const stored = sun.checkpoint();
  const replaced = sun.checkpoint(former);
  assert.ok(stored !== undefined && replaced !== undefined && former !== sun.sa);
  sun.restart(stored, replaced);
  return { request, answer };
}

// RFC 7296 2.1, 2.8
test('an IKE SA that was replaced repeats after the crash what tells the peer of the new one, and is deleted', () => {
  const two = pair();
  const { moon, sun } = two;
  const { request, answer } = answerLostWithItsSender(two);
  const [heir, former] = sun.sas;
  assert.equal(former?.phase, 'rekeyed');
  assert.equal(former.successor, heir);
  assert.equal(former.children.length, 0);
  two.collect();
  two.wire.length = 0;
  two.deliver(sun, request);
  assert.deepEqual(two.take(moon).octets, answer.octets);
  two.deliver(moon, answer);
  two.settle();
  assert.equal(former.phase, 'ended');
  assert.equal(moon.sa.initiatorSpi, heir?.initiatorSpi);
  assert.equal(sun.sa, heir);
  two.assertKeysAgree();
  assert.equal(moon.sa.children.length, 1);
  assert.equal(former.snapshot(two.now), undefined);
});

test('it is not kept for longer than in a life without crashes, nor by whoever deletes it', () => {
  const two = pair();
  answerLostWithItsSender(two);
  const [, former] = two.sun.sas;
  two.collect();
  two.wire.length = 0;
  two.sun.now += 30_000;
  two.sun.wake();
  assert.equal(former?.phase, 'ended');

  const other = pair();
  const { moon } = other;
  const old = moon.sa;
  moon.command({ kind: 'rekey-ike' });
  other.deliver(other.sun);
  other.deliver(moon);
  assert.equal(old.phase, 'deleting');
  assert.equal(old.snapshot(other.now), undefined);
});

test('what replaced an IKE SA is adopted before it', () => {
  const two = pair();
  const { moon, sun } = two;
  const former = sun.sa;
  moon.command({ kind: 'rekey-ike' });
  two.deliver(sun);
  const replaced = sun.checkpoint(former);
  assert.ok(replaced);
  assert.throws(() => sun.restart(replaced), /without what replaced it/);
});

test('a Delete that was under way is brought to its end', () => {
  const two = pair();
  const childId = two.moon.sa.children[0]!.childId;
  two.moon.command({ kind: 'delete-child', childId });
  const lost = two.take(two.sun);
  crash(two.moon);
  two.moon.wake();
  const again = two.take(two.sun);
  assert.deepEqual(again.octets, lost.octets);
  two.deliver(two.sun, again);
  two.settle();
  assert.deepEqual(two.moon.sa.children, []);
  assert.deepEqual(two.moon.sasOf('inbound'), []);
  assert.equal(two.moon.reservedSpis.size, 0);
});

test('an old pair that we have replaced is deleted after the crash too', () => {
  const two = pair();
  const childId = two.moon.sa.children[0]!.childId;
  two.moon.command({ kind: 'rekey-child', childId });
  two.deliver(two.sun);
  two.deliver(two.moon);
  // The Delete is on its way and gets lost, and so does the request with it.
  two.drop(two.sun);
  assert.equal(two.moon.sa.children.length, 2);
  crash(two.moon);
  two.run(5_000);
  assert.equal(two.moon.sa.children.length, 1);
  assert.equal(two.sun.sa.children.length, 1);
  two.assertKeysAgree();
});

test('what the peer was given stays given: its lease comes back when the IKE SA ends', () => {
  const inner = address('10.9.0.7');
  const lease = { addresses: [inner], dns: [], attributes: [] };
  const road = { virtualAddresses: [address('0.0.0.0')] };
  const two = new Pair({
    moon: { connections: [connection('moon', road)] },
    sun: { checkpoints: true, lease, connections: [connection('sun', { pools: ['pool'] })] },
  }).establish();
  crash(two.sun);
  assert.deepEqual(two.sun.sa.snapshot(two.now)?.lease, lease);
  assert.deepEqual(two.sun.sa.snapshot(two.now)?.peerVirtualAddresses, [inner]);
});

test('there is nothing to go on from before the peer is authenticated, during exchanges with secrets, and after the end', () => {
  const two = new Pair({ moon: { checkpoints: true }, sun: { checkpoints: true } });
  two.moon.initiate(two.sun.endpoint);
  assert.equal(two.moon.checkpoint(), undefined);
  two.deliver(two.sun);
  assert.equal(two.sun.checkpoint(), undefined);
  two.settle();
  assert.ok(two.moon.checkpoint());
  const childId = two.moon.sa.children[0]!.childId;
  two.moon.command({ kind: 'rekey-child', childId });
  assert.equal(two.moon.checkpoint(), undefined);
  assert.ok(two.sun.checkpoint());
  two.settle();
  assert.ok(two.moon.checkpoint());
  two.moon.command({ kind: 'rekey-ike' });
  const former = two.moon.sa;
  assert.equal(two.moon.checkpoint(), undefined);
  two.settle();
  assert.ok(two.moon.checkpoint());
  assert.equal(former.snapshot(two.now), undefined);
  const { sa } = two.moon;
  two.moon.command({ kind: 'delete', reason: 'test' });
  assert.equal(sa.snapshot(two.now), undefined);
  two.settle();
  assert.equal(sa.snapshot(two.now), undefined);
});

test('a host that keeps no checkpoints has none to give', () => {
  const two = new Pair().establish();
  assert.equal(two.moon.checkpoint(), undefined);
  assert.equal(two.moon.sasOf('outbound')[0]?.reservation, undefined);
});

function mobile(): Pair {
  const of = (name: 'moon' | 'sun') => ({
    checkpoints: true,
    connections: [connection(name, { mobike: true })],
  });
  return new Pair({ moon: of('moon'), sun: of('sun') }).establish();
}

const elsewhere = address('198.51.100.9');

// RFC 4555 3.5
test('a client that starts again can still move, and one that had moved tells the gateway', () => {
  const two = mobile();
  crash(two.moon);
  two.moon.command({ kind: 'move', local: elsewhere });
  two.settle();
  assert.equal(two.sun.sa.mobility?.tunnel.remote.address, elsewhere);

  const other = mobile();
  other.moon.command({ kind: 'move', local: elsewhere });
  crash(other.moon);
  // What it had said is lost; what it says again, and what follows that, is not.
  other.wire.length = 0;
  other.run(100);
  assert.equal(other.sun.sa.mobility?.tunnel.remote.address, elsewhere);
  assert.equal(other.moon.sa.local.address, elsewhere);
});

// RFC 4555 3.7
test('a gateway that starts again while it asks whether its peer is there asks anew, and follows only then', () => {
  const two = mobile();
  two.moon.command({ kind: 'move', local: elsewhere });
  two.deliver(two.sun);
  two.wire.length = 0;
  crash(two.sun);
  two.collect();
  const ends = (): string[] => [...two.sun.installed.values()].map(({ remote }) => remote);
  assert.ok(ends().every((remote) => remote !== elsewhere));
  assert.equal(two.sun.sa.remote.address, elsewhere);
  two.run(5_000);
  assert.deepEqual(new Set(ends()), new Set([elsewhere]));
});
