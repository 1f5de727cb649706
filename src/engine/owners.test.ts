// Engines that share a host with other keying daemons: where their SPIs come from, and whose they answer for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimsOf, soleOwnership } from '#unknown-spi';
import type { HostChange } from './recovery/testing/two-hosts.ts';
import { established, type TestHost, TwoHosts } from './recovery/testing/two-hosts.ts';

const responderOnly: HostChange = { connection: { remoteAddresses: [{ kind: 'any' }] } };
const reservedOctets = 256;

function lastVerdict(host: TestHost): string | undefined {
  return host.eventsOf('unknown-spi').at(-1)?.verdict.reason;
}

test('SPIs of both kinds are drawn inside the lease', () => {
  const hosts = new TwoHosts();
  hosts.moon.give(0, { kind: 'spi-lease', claims: claimsOf([0, 0x42], []) });
  hosts.sun.give(0, { kind: 'spi-lease', claims: claimsOf([0x77], []) });
  hosts.connect();
  const [moon] = [...hosts.moon.inbound.keys()];
  const [sun] = [...hosts.sun.inbound.keys()];
  assert.ok(moon! >= reservedOctets && [0, 0x42].includes(moon! >>> 24), `${moon}`);
  assert.equal(sun! >>> 24, 0x77);
  const [sa] = hosts.moon.engine.status().ikeSas;
  assert.ok(['00', '42'].includes(sa!.initiatorSpi.slice(0, 2)), sa!.initiatorSpi);
  assert.equal(sa!.responderSpi.slice(0, 2), '77');
  assert.deepEqual(hosts.moon.engine.spisOutsideLease(), []);
});

test('SPIs that stood before the lease came are told, to be claimed one by one', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const [spi] = [...hosts.moon.inbound.keys()];
  const other = ((spi! >>> 24) + 1) % 256;
  hosts.moon.give(0, { kind: 'spi-lease', claims: claimsOf([other], []) });
  assert.deepEqual(hosts.moon.engine.spisOutsideLease(), [spi]);
});

test('a restarted host leaves the SPIs of another daemon to it, and answers for its own', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  const [spi] = [...hosts.sun.inbound.keys()];
  hosts.restart(hosts.sun);
  const claims = claimsOf([spi! >>> 24], []);
  hosts.sun.give(hosts.now, { kind: 'spi-owners', ownership: { ...soleOwnership, others: [claims] } });
  hosts.sendEsp(hosts.moon);
  assert.equal(lastVerdict(hosts.sun), 'claimed');
  assert.deepEqual(hosts.sun.sent, []);

  hosts.sun.give(hosts.now, { kind: 'spi-owners', ownership: soleOwnership });
  hosts.sendEsp(hosts.moon);
  assert.equal(lastVerdict(hosts.sun), 'history-with-tokens');
  hosts.settle();
  assert.equal(established(hosts.sun).length, 1);
});

test('of several daemons one answers for what nobody claims, and each for its lease', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  const [spi] = [...hosts.sun.inbound.keys()];
  hosts.restart(hosts.sun);
  hosts.sun.give(hosts.now, {
    kind: 'spi-owners',
    ownership: { ...soleOwnership, answersUnclaimed: false },
  });
  hosts.sendEsp(hosts.moon);
  assert.equal(lastVerdict(hosts.sun), 'claimed');
  hosts.sun.give(hosts.now, { kind: 'spi-lease', claims: claimsOf([spi! >>> 24], []) });
  hosts.sendEsp(hosts.moon);
  assert.equal(lastVerdict(hosts.sun), 'history-with-tokens');
});

test('beside a daemon that cannot be read native ESP gets no answer', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  hosts.restart(hosts.sun);
  hosts.sun.give(hosts.now, { kind: 'spi-owners', ownership: { ...soleOwnership, unreadable: true } });
  hosts.sendEsp(hosts.moon);
  assert.equal(lastVerdict(hosts.sun), 'owner-unreadable');
  assert.deepEqual(hosts.sun.sent, []);
});

test('an IKE message for an IKE SA of another daemon is left to it', () => {
  const hosts = new TwoHosts({ moon: { connection: { dpdDelayMs: 5_000 } }, sun: responderOnly });
  hosts.connect();
  const [sa] = hosts.sun.engine.status().ikeSas;
  hosts.restart(hosts.sun);
  const block = Number.parseInt(sa!.responderSpi.slice(0, 2), 16);
  const others = [claimsOf([block], [])];
  hosts.sun.give(hosts.now, { kind: 'spi-owners', ownership: { ...soleOwnership, others } });
  hosts.now = 5_000;
  hosts.moon.give(hosts.now, { kind: 'timeout' });
  const [check] = hosts.moon.sent.splice(0);
  hosts.receive(hosts.sun, check!);
  assert.equal(hosts.sun.eventsOf('unknown-ike-message').at(-1)?.verdict.kind, 'leave-to-owner');
  assert.deepEqual(hosts.sun.sent, []);
});
