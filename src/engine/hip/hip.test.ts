// HIP and IKE in one host: one data plane, one SPI space, each by its own exchange.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hipDefaults } from '#hip';
import { address, hitAddress, selectorOfPrefix } from '#sa';
import { type HipEngine, HipEngines, identities, spiGroups } from './testing/hip-engines.ts';

function trapOf(host: HipEngine): number {
  const trap = [...host.policies.values()].find(({ action }) => action === 'trap');
  assert.ok(trap !== undefined);
  return trap.policyId;
}

function inbound(host: HipEngine): string[] {
  return [...host.installed.values()]
    .filter(({ direction }) => direction === 'inbound')
    .map(({ mode }) => mode);
}

test('a command brings an association up, and has its result when it stands', () => {
  const hosts = new HipEngines().start();
  hosts.moon.give(0, { kind: 'command', id: 7, command: { kind: 'hip-associate', peer: 'sun' } });
  assert.equal(hosts.moon.results.length, 0);
  hosts.settle();
  assert.deepEqual(hosts.moon.results, [{ kind: 'command-result', id: 7, result: { ok: true, count: 1 } }]);
  assert.deepEqual(inbound(hosts.sun), ['beet']);
  const [association] = hosts.moon.engine.status().hip;
  assert.equal(association?.state, 'ESTABLISHED');
  assert.equal(association?.peer, 'sun');
});

// RFC 7401 6.1
test('an application that sends to a HIT starts the exchange: its packet came out of a trap', () => {
  const hosts = new HipEngines().start();
  const only = (name: 'moon' | 'sun'): NonNullable<ReturnType<typeof selectorOfPrefix>> =>
    selectorOfPrefix(hitAddress(identities[name].identity.hit))!;
  const event = {
    kind: 'acquire',
    policyId: trapOf(hosts.moon),
    local: only('moon'),
    remote: only('sun'),
  } as const;
  hosts.moon.give(0, { kind: 'data-plane', event });
  hosts.moon.give(0, { kind: 'data-plane', event });
  hosts.settle();
  assert.deepEqual(inbound(hosts.moon), ['beet']);
});

test('a packet that came out of a trap while an association was made does not replace it', () => {
  const hosts = new HipEngines().start();
  const { moon, sun } = hosts;
  moon.give(0, { kind: 'command', id: 1, command: { kind: 'hip-associate', peer: 'sun' } });
  hosts.settle();
  const before = [...moon.installed.keys()];
  for (const host of [moon, sun]) {
    const [local, remote] = [host.name, host === moon ? 'sun' : 'moon'].map(
      (name) => selectorOfPrefix(hitAddress(identities[name as 'moon' | 'sun'].identity.hit))!,
    );
    const event = { kind: 'acquire', policyId: trapOf(host), local: local!, remote: remote! } as const;
    host.give(0, { kind: 'data-plane', event });
    hosts.settle();
  }
  assert.deepEqual([...moon.installed.keys()], before);
});

test('a command whose peer has called meanwhile has its association, and begins no other', () => {
  const hosts = new HipEngines().start();
  const { moon, sun } = hosts;
  moon.holdsNames = true;
  moon.give(0, { kind: 'command', id: 1, command: { kind: 'hip-associate', peer: 'sun' } });
  sun.give(0, { kind: 'command', id: 2, command: { kind: 'hip-associate', peer: 'moon' } });
  hosts.settle();
  assert.deepEqual(moon.results, [{ kind: 'command-result', id: 1, result: { ok: true, count: 1 } }]);
  const before = [...moon.installed.keys()];
  for (const resolved of moon.held.splice(0)) moon.give(0, resolved);
  hosts.settle();
  assert.deepEqual([...moon.installed.keys()], before);
});

// RFC 7402 6.8
test('a rekeyed association keeps its group of SPIs on both sides', () => {
  const hosts = new HipEngines().start();
  hosts.moon.give(0, { kind: 'command', id: 0, command: { kind: 'hip-associate', peer: 'sun' } });
  hosts.settle();
  const seen = { moon: new Set<number>(), sun: new Set<number>() };
  const look = (): void => {
    for (const host of [hosts.moon, hosts.sun]) {
      for (const { direction, spi } of host.installed.values()) {
        if (direction === 'inbound') seen[host.name].add(spi);
      }
    }
  };
  look();
  for (const [host, peer] of [
    [hosts.moon, 'sun'],
    [hosts.sun, 'moon'],
    [hosts.moon, 'sun'],
    [hosts.sun, 'moon'],
  ] as const) {
    host.give(0, { kind: 'command', id: 1, command: { kind: 'hip-rekey', peer } });
    hosts.settle();
    look();
  }
  for (const spis of Object.values(seen)) {
    assert.equal(spis.size, 5);
    assert.equal(new Set([...spis].map((spi) => spi % spiGroups)).size, 1);
  }
});

// RFC 7402 3.4
test('IKE and HIP with one peer at the same time: each has its SAs, and no SPI is used twice', () => {
  const hosts = new HipEngines().start();
  hosts.moon.give(0, { kind: 'command', id: 1, command: { kind: 'initiate', connection: 'gateway' } });
  hosts.moon.give(0, { kind: 'command', id: 2, command: { kind: 'hip-associate', peer: 'sun' } });
  hosts.settle();
  assert.deepEqual(inbound(hosts.moon).toSorted(), ['beet', 'tunnel']);
  const spis = [...hosts.sun.installed.values()].map(({ direction, spi }) => `${direction} ${spi}`);
  assert.equal(new Set(spis).size, 4);
  const childIds = [...hosts.moon.installed.values()].map(({ childId }) => childId);
  assert.equal(new Set(childIds).size, 2);
});

test('what HIP does not know is not found, and what it knows is closed and rekeyed', () => {
  const hosts = new HipEngines().start();
  const ask = (id: number, command: Parameters<HipEngine['give']>[1] & { kind: 'command' }): void => {
    hosts.moon.give(0, { ...command, id });
    hosts.settle();
  };
  ask(1, { kind: 'command', id: 0, command: { kind: 'hip-associate', peer: 'mars' } });
  ask(2, { kind: 'command', id: 0, command: { kind: 'hip-close', peer: 'sun' } });
  ask(3, { kind: 'command', id: 0, command: { kind: 'hip-associate', peer: 'sun' } });
  ask(4, { kind: 'command', id: 0, command: { kind: 'hip-rekey', peer: 'sun' } });
  ask(5, { kind: 'command', id: 0, command: { kind: 'hip-close', peer: 'sun' } });
  assert.deepEqual(
    hosts.moon.results.map(({ id, result }) => [id, result.ok]),
    [
      [1, false],
      [2, false],
      [3, true],
      [4, true],
      [5, true],
    ],
  );
  assert.equal(hosts.moon.installed.size + hosts.sun.installed.size, 0);
});

test('a HIT that nobody has is named as the address that it is', () => {
  const { moon } = new HipEngines().start();
  const peer = '20010021000000000000000000000a0b';
  for (const kind of ['hip-associate', 'hip-check'] as const) {
    moon.give(0, { kind: 'command', id: 1, command: { kind, peer } });
    const result = moon.results.at(-1)?.result;
    assert.match(result?.ok === false ? result.detail : '', / 2001:21::a0b$/);
  }
});

test('the end of the host says CLOSE to every peer', () => {
  const hosts = new HipEngines().start();
  hosts.moon.give(0, { kind: 'command', id: 1, command: { kind: 'hip-associate', peer: 'sun' } });
  hosts.settle();
  hosts.moon.give(0, { kind: 'command', id: 2, command: { kind: 'shutdown' } });
  hosts.settle();
  assert.equal(hosts.sun.installed.size, 0);
});

test('a host that is shutting down has no trap left, and neither calls nor answers', () => {
  const hosts = new HipEngines().start();
  const { moon, sun } = hosts;
  const policyId = trapOf(moon);
  moon.give(0, { kind: 'command', id: 1, command: { kind: 'shutdown' } });
  assert.deepEqual(moon.policies, new Map());
  const [local, remote] = (['moon', 'sun'] as const).map(
    (name) => selectorOfPrefix(hitAddress(identities[name].identity.hit))!,
  );
  moon.give(0, { kind: 'data-plane', event: { kind: 'acquire', policyId, local: local!, remote: remote! } });
  sun.give(0, { kind: 'command', id: 1, command: { kind: 'hip-associate', peer: 'moon' } });
  hosts.settle();
  assert.deepEqual([moon.engine.status().hip, moon.installed.size], [[], 0]);
  assert.equal(moon.engine.tables().traps, 0);
});

test('a host without a Host Identity has no HIP, until a reload brings one', () => {
  const hosts = new HipEngines();
  const { moon } = hosts;
  hosts.start();
  const { hip: _, ...without } = moon.configuration;
  moon.give(0, { kind: 'command', id: 1, command: { kind: 'load', configuration: without } });
  moon.give(0, { kind: 'command', id: 2, command: { kind: 'hip-associate', peer: 'sun' } });
  assert.equal(moon.results.at(-1)?.result.ok, false);
  moon.give(0, { kind: 'command', id: 3, command: { kind: 'load', configuration: moon.configuration } });
  moon.give(0, { kind: 'command', id: 4, command: { kind: 'hip-associate', peer: 'sun' } });
  hosts.settle();
  assert.deepEqual(moon.results.at(-1)?.result, { ok: true, count: 1 });
});

test('a peer that does not answer where it was called is called at its next address, and so on in a circle', () => {
  const [first, second] = ['192.0.2.77', '192.0.2.78'].map(address);
  const hosts = new HipEngines((name) => ({
    hip: {
      ...hipDefaults,
      identities: [identities[name]],
      peers: [
        {
          name: 'other',
          hit: identities[name === 'moon' ? 'sun' : 'moon'].identity.hit,
          addresses: [first!, second!],
        },
      ],
    },
  })).start();
  const { moon } = hosts;
  const called: string[] = [];
  for (let id = 1; id <= 3; id++) {
    moon.give(hosts.now, { kind: 'command', id, command: { kind: 'hip-associate', peer: 'other' } });
    // Nobody is there.
    for (let step = 0; step < 200; step++) {
      for (const sent of moon.sent.splice(0))
        if (sent.kind === 'hip-transmit' && called.at(-1) !== sent.path.remote.address)
          called.push(sent.path.remote.address);
      hosts.now += 500;
      moon.give(hosts.now, { kind: 'timeout' });
    }
  }
  assert.deepEqual(called, [first, second, first]);
});

test('a command that begins nothing because an attempt has just failed is told so, and one that joins an attempt waits', () => {
  const hosts = new HipEngines().start();
  const { moon } = hosts;
  const ask = (id: number): void =>
    moon.give(hosts.now, { kind: 'command', id, command: { kind: 'hip-associate', peer: 'sun' } });
  ask(1);
  ask(2);
  // Nobody is there.
  while (moon.results.length === 0) {
    hosts.now += 500;
    assert.ok(hosts.now < 100_000);
    moon.give(hosts.now, { kind: 'timeout' });
  }
  ask(3);
  assert.deepEqual(
    moon.results.map(({ id, result }) => [id, result.ok || result.detail]),
    [
      [1, 'no answer to I1'],
      [2, 'no answer to I1'],
      [3, 'an attempt has just failed: try again in a few seconds'],
    ],
  );
  hosts.now += hipDefaults.failedMs;
  moon.give(hosts.now, { kind: 'timeout' });
  moon.sent.length = 0;
  ask(4);
  hosts.settle();
  assert.deepEqual(moon.results.at(-1), { kind: 'command-result', id: 4, result: { ok: true, count: 1 } });
});

// RFC 7401 4.1.8
test('a command that calls whoever answers has its result when somebody has, and when nobody does', () => {
  const hosts = new HipEngines((name) => ({
    hip: {
      ...hipDefaults,
      identities: [identities[name]],
      accept: 'any',
      peers: name === 'moon' ? [{ name: 'anybody', addresses: [address('192.0.2.2')] }] : [],
    },
  })).start();
  const { moon } = hosts;
  const ask = (id: number): void =>
    moon.give(hosts.now, { kind: 'command', id, command: { kind: 'hip-associate', peer: 'anybody' } });
  ask(1);
  hosts.settle();
  assert.equal(moon.engine.status().hip[0]?.state, 'ESTABLISHED');
  assert.deepEqual(moon.results, [{ kind: 'command-result', id: 1, result: { ok: true, count: 1 } }]);
  // And once R1 has come, nothing more does.
  ask(2);
  for (let step = 0; step < 200; step++) {
    hosts.wait(0);
    hosts.now += 500;
    moon.sent.length = 0;
    moon.give(hosts.now, { kind: 'timeout' });
  }
  assert.equal(moon.results.length, 2);
});
