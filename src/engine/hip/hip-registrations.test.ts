// A host that is to be registered is, from its start on and after whatever happens to its registrar (RFC 8003 3.2, 5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hipDefaults, registrarDefaults } from '#hip';
import type { EngineConfiguration } from '../configuration.ts';
import { addresses, HipEngines, identities, type Name } from './testing/hip-engines.ts';

/** moon is to be registered with sun, which can call it nowhere. */
function change(name: Name): Partial<EngineConfiguration> {
  const other = name === 'moon' ? 'sun' : 'moon';
  const { hit } = identities[other].identity;
  const peer = { name: other, hit };
  return {
    connections: [],
    hip: {
      ...hipDefaults,
      identities: [identities[name]],
      peers: [
        name === 'moon'
          ? { ...peer, addresses: [addresses.sun], registration: { lifetimeMs: 60_000 } }
          : { ...peer, addresses: [] },
      ],
      ...(name === 'sun' && { registrar: registrarDefaults }),
    },
  };
}

function registration({ moon }: HipEngines): string | undefined {
  return moon.engine.status().hip[0]?.registration?.state;
}

function clients({ sun }: HipEngines): number {
  return sun.engine.status().hip.filter(({ client }) => client !== undefined).length;
}

function started(): HipEngines {
  const hosts = new HipEngines(change).start();
  hosts.settle();
  return hosts;
}

test('it calls its registrar at the start, and nobody has to ask', () => {
  const hosts = started();
  assert.equal(registration(hosts), 'registered');
  assert.equal(clients(hosts), 1);
});

test('a registrar that is not there yet is called until it is', () => {
  const hosts = new HipEngines(change);
  const { moon, sun } = hosts;
  moon.give(0, { kind: 'wall-clock', wallClockMs: 1_770_000_000_000 });
  for (let minute = 0; minute < 10; minute++) {
    moon.sent.length = 0;
    hosts.now += 60_000;
    moon.give(hosts.now, { kind: 'timeout' });
  }
  sun.give(hosts.now, { kind: 'wall-clock', wallClockMs: 1_770_000_000_000 });
  hosts.wait(70_000);
  assert.equal(registration(hosts), 'registered');
});

test('either end may be killed: the registration is there again', () => {
  const hosts = started();
  for (const host of [hosts.sun, hosts.moon]) {
    host.crash(hosts.now);
    hosts.wait(60_000);
    assert.equal(registration(hosts), 'registered');
    assert.equal(clients(hosts), 1);
  }
});

test('a registrar that closes the association is called again', () => {
  const hosts = started();
  hosts.sun.give(hosts.now, { kind: 'command', id: 1, command: { kind: 'hip-close', peer: 'moon' } });
  hosts.wait(1_000);
  assert.equal(clients(hosts), 0);
  hosts.wait(20_000);
  assert.equal(registration(hosts), 'registered');
});

test('what was taken down by hand stays down until it is called by hand', () => {
  const hosts = started();
  const { moon } = hosts;
  moon.give(hosts.now, { kind: 'command', id: 1, command: { kind: 'hip-close', peer: 'sun' } });
  hosts.wait(300_000);
  assert.equal(clients(hosts), 0);
  moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'hip-associate', peer: 'sun' } });
  hosts.settle();
  assert.equal(clients(hosts), 1);
});
