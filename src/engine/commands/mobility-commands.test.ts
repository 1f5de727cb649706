// A host is told of its addresses and that one is gone: who moves, to where, and what peers are told (RFC 4555).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionConfiguration } from '#ike';
import { address, type IpAddress } from '#sa';
import { eventFields } from '../events/event-fields.ts';
import type { IkeSaStatus } from '../status.ts';
import { addresses, configuration, connection, type HostName } from '../testing/configurations.ts';
import { type EngineHost, EnginePair } from '../testing/two-engines.ts';

const elsewhere = address('198.51.100.9');
const inside = address('10.2.0.1');

function mobile(
  change: Partial<Record<HostName, Partial<ConnectionConfiguration>>> = {},
  own: readonly string[] = [addresses.sun],
): EnginePair {
  const of = (name: HostName) =>
    configuration(name, { connections: [connection(name, { mobike: true, ...change[name] })] });
  const pair = new EnginePair({ moon: of('moon'), sun: of('sun') }).start();
  know(pair.sun, ...own.map(address));
  pair.further.add(elsewhere);
  pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.settle();
  return pair;
}

function know(host: EngineHost, ...own: readonly IpAddress[]): void {
  host.command({ kind: 'own-addresses', own: new Set(own) });
}

/** Of the first one that moon has. */
function ikeSaOf(pair: EnginePair): IkeSaStatus {
  const [sa] = pair.moon.engine.status().ikeSas;
  assert.ok(sa);
  return sa;
}

function peerAddresses(pair: EnginePair): readonly IpAddress[] | undefined {
  return pair.moon.engine.status().ikeSas[0]?.mobility?.peerAddresses;
}

// RFC 4555 5.5, 3.4
test('a gateway tells those of its addresses that local_addrs allows, and none of links or of nobody', () => {
  const told = ['192.0.2.2', '192.0.2.3', '10.2.0.1', 'fe80::1', '169.254.3.4', '224.0.0.5', '::'];
  assert.deepEqual(peerAddresses(mobile({}, told)), [inside, address('192.0.2.3')]);
  const localAddresses = ['192.0.2.2', '192.0.2.3'].map((one) => ({
    kind: 'address' as const,
    address: address(one),
  }));
  assert.deepEqual(peerAddresses(mobile({ sun: { localAddresses } }, told)), [address('192.0.2.3')]);
});

// RFC 4555 5.5
test('a client tells none', () => {
  const pair = mobile();
  const before = pair.moon.sent.length;
  know(pair.moon, addresses.moon, elsewhere, inside);
  assert.equal(pair.moon.sent.length, before);
  assert.deepEqual(pair.sun.engine.status().ikeSas[0]?.mobility?.peerAddresses, []);
});

// RFC 4555 3.6
test('clients are told when the addresses of their gateway are others, and only then', () => {
  const pair = mobile();
  assert.deepEqual(peerAddresses(pair), []);
  know(pair.sun, addresses.sun, inside);
  pair.settle();
  assert.deepEqual(peerAddresses(pair), [inside]);
  const before = pair.sun.sent.length;
  know(pair.sun, inside, addresses.sun);
  assert.equal(pair.sun.sent.length, before);
});

// RFC 4555 3.5
test('an IKE SA that is moved goes on from the new address, with its Child SA', () => {
  const pair = mobile();
  know(pair.moon, elsewhere);
  const { ikeId } = ikeSaOf(pair);
  const id = pair.moon.command({ kind: 'move-ike', ikeId, local: elsewhere });
  assert.deepEqual(pair.moon.results.get(id), { ok: true, count: 1 });
  pair.settle();
  for (const host of [pair.moon, pair.sun]) {
    const [sa, ...more] = host.engine.status().ikeSas;
    assert.deepEqual(more, []);
    assert.deepEqual(sa?.mobility?.tunnel, { local: sa?.local, remote: sa?.remote });
  }
  assert.equal(pair.sun.engine.status().ikeSas[0]?.remote.address, elsewhere);
  for (const [host, kind] of [
    [pair.moon, 'moved'],
    [pair.sun, 'peer-moved'],
  ] as const) {
    const events = host.eventsOf('ike').filter(({ event }) => event.kind === kind);
    assert.deepEqual(
      events.map(eventFields).map(({ from, to }) => [from, to]),
      [[`${addresses.moon}:4500`, `${elsewhere}:4500`]],
    );
  }
});

test('both ends remember when and from where an IKE SA moved last, also when it is rekeyed', () => {
  const pair = mobile();
  assert.equal(ikeSaOf(pair).lastMove, undefined);
  know(pair.moon, elsewhere);
  pair.moon.command({ kind: 'move-ike', ikeId: ikeSaOf(pair).ikeId, local: elsewhere });
  pair.settle();
  pair.run(3_000);
  const moves = () =>
    [pair.moon, pair.sun].map((host) => {
      const move = host.engine.status(pair.now).ikeSas.find(({ phase }) => phase === 'established')?.lastMove;
      return [
        move?.by,
        move?.from.local.address,
        move?.from.remote.address,
        Math.floor((move?.msAgo ?? 0) / 1_000),
      ];
    });
  assert.deepEqual(moves(), [
    ['us', addresses.moon, addresses.sun, 3],
    ['peer', addresses.sun, addresses.moon, 3],
  ]);
  pair.sun.command({ kind: 'rekey', ikeId: pair.sun.engine.status().ikeSas[0]!.ikeId });
  pair.settle();
  assert.deepEqual(
    moves().map(([by]) => by),
    ['us', 'peer'],
  );
});

// RFC 4555 3.7
test('whose an SPI was is told with where its peer has answered from, and not with where it says to be', () => {
  const pair = mobile();
  know(pair.moon, elsewhere);
  const [child] = pair.sun.engine.status().ikeSas[0]!.children;
  const place = () => pair.sun.engine.why(child!.inboundSpi).owner?.peer;
  assert.equal(place(), addresses.moon);
  pair.moon.command({ kind: 'move-ike', ikeId: ikeSaOf(pair).ikeId, local: elsewhere });
  pair.deliver(pair.wire.shift()!);
  assert.equal(pair.sun.engine.status().ikeSas[0]?.remote.address, elsewhere);
  assert.equal(place(), addresses.moon);
  pair.settle();
  assert.equal(place(), elsewhere);
});

test('where local_addrs names addresses an IKE SA moves only among these', () => {
  const allowed = address('192.0.2.77');
  const localAddresses = [addresses.moon, allowed].map((one) => ({ kind: 'address' as const, address: one }));
  const pair = mobile({ moon: { localAddresses } });
  const { ikeId } = ikeSaOf(pair);
  know(pair.moon, elsewhere);
  const refused = pair.moon.command({ kind: 'move-ike', ikeId, local: elsewhere });
  const result = pair.moon.results.get(refused);
  assert.equal(result?.ok === false && result.code, 'no-address');
  assert.equal(pair.moon.countIke('moved'), 0);
  know(pair.moon, elsewhere, allowed);
  pair.moon.command({ kind: 'move-ike', ikeId, local: elsewhere });
  assert.equal(pair.moon.engine.status().ikeSas[0]?.local.address, allowed);
});

test('an IKE SA that stands moves among the addresses that local_addrs names now', () => {
  const only = (one: IpAddress) => [{ kind: 'address' as const, address: one }];
  const pair = mobile({ moon: { localAddresses: only(addresses.moon) } });
  const { ikeId } = ikeSaOf(pair);
  const change = { mobike: true, localAddresses: only(elsewhere) };
  const loaded = configuration('moon', { connections: [connection('moon', change)] });
  pair.moon.command({ kind: 'load', configuration: loaded });
  know(pair.moon, elsewhere);
  const id = pair.moon.command({ kind: 'move-ike', ikeId, local: elsewhere });
  assert.equal(pair.moon.results.get(id)?.ok, true);
  assert.equal(ikeSaOf(pair).local.address, elsewhere);
});

test('an IKE SA without MOBIKE, and one that is not there, cannot be moved', () => {
  const pair = mobile({ sun: { mobike: false } });
  for (const ikeId of [ikeSaOf(pair).ikeId, 99]) {
    const id = pair.moon.command({ kind: 'move-ike', ikeId, local: elsewhere });
    const result = pair.moon.results.get(id);
    assert.equal(result?.ok === false && result.code, 'not-found');
  }
  assert.equal(pair.moon.engine.status().ikeSas[0]?.local.address, addresses.moon);
});

// RFC 4555 3.5, 3.6
test('clients of a gateway whose address is gone are told once, from where it goes on', () => {
  const pair = mobile();
  const before = pair.sun.sent.length;
  know(pair.sun, elsewhere, inside);
  assert.equal(pair.sun.sent.length, before, 'from an address that is gone nothing can be sent');
  const { ikeId } = pair.sun.engine.status().ikeSas[0]!;
  pair.sun.command({ kind: 'move-ike', ikeId, local: elsewhere });
  pair.settle();
  const sources = pair.sun.sent.slice(before).map(({ source }) => source.address);
  assert.deepEqual(new Set(sources), new Set([elsewhere]));
  assert.deepEqual(peerAddresses(pair), [inside]);
  assert.equal(pair.moon.countIke('moved'), 1);
});

test('a connection whose address goes while it is being made begins anew from where this host is', () => {
  const moon = configuration('moon', { connections: [connection('moon', { mobike: true })] });
  const roaming = connection('sun', { mobike: true, remoteAddresses: [{ kind: 'any' }] });
  const pair = new EnginePair({ moon, sun: configuration('sun', { connections: [roaming] }) }).start();
  pair.further.add(elsewhere);
  know(pair.moon, addresses.moon);
  const id = pair.moon.command({ kind: 'initiate', child: 'net' });
  // Nothing of the first try arrives.
  pair.wire.length = 0;
  know(pair.moon, addresses.moon, elsewhere);
  assert.equal(pair.wire.length, 0);
  pair.moon.address = elsewhere;
  know(pair.moon, elsewhere);
  pair.settle();
  assert.deepEqual(
    pair.moon.engine.status().ikeSas.map(({ phase, local }) => [phase, local.address]),
    [['established', elsewhere]],
  );
  assert.equal(pair.moon.results.get(id)?.ok, true);
});

// RFC 4555 3.5
test('a client whose gateway does not follow it makes a new IKE SA from where it is', () => {
  const pair = mobile();
  const { ikeId, initiatorSpi } = ikeSaOf(pair);
  know(pair.moon, elsewhere);
  pair.moon.command({ kind: 'move-ike', ikeId, local: elsewhere });
  const update = pair.wire.shift();
  assert.ok(update);
  // As if it came from the gateway's own address, which is nobody else's.
  pair.deliver({ ...update, source: { address: addresses.sun, port: 4500 } });
  pair.settle();
  pair.run(1_000);
  assert.equal(pair.moon.countIke('move-refused'), 1);
  const standing = pair.moon.engine.status().ikeSas.filter(({ phase }) => phase === 'established');
  assert.equal(standing.length, 1);
  assert.notEqual(standing[0]?.initiatorSpi, initiatorSpi);
  assert.equal(standing[0]?.children.length, 1);
});
