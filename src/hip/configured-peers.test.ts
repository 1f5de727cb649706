// What is found of a configuration's peers, and how long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import type { HipPeer } from './configuration.ts';
import { peersOf } from './configured-peers.ts';
import { testIdentity } from './testing/identities.ts';

const [first, second] = (['p256-a', 'p256-b'] as const).map((name) => testIdentity(name).identity.hit);
const addresses = [address('192.0.2.1'), address('192.0.2.2')];

test('peers are found by HIT, name and address, and those without a HIT by the others', () => {
  const registrar: HipPeer = { name: 'hub', hit: first!, addresses, registration: { lifetimeMs: 60_000 } };
  const anybody: HipPeer = { name: 'anybody', addresses: [address('192.0.2.3')] };
  const peers = peersOf({ peers: [registrar, anybody] });
  assert.equal(peers.with(first!), registrar);
  assert.equal(peers.with(second!), undefined);
  assert.deepEqual([peers.named('hub'), peers.named('anybody')], [registrar, anybody]);
  assert.deepEqual(
    ['192.0.2.2', '192.0.2.3', '192.0.2.4'].map((one) => peers.hasAddress(address(one))),
    [true, true, false],
  );
  assert.deepEqual([...peers.registrars], [[first, registrar]]);
});

test('the peers of another configuration are others', () => {
  const peers: readonly HipPeer[] = [{ name: 'sun', hit: first!, addresses }];
  assert.equal(peersOf({ peers }), peersOf({ peers }));
  assert.equal(peersOf({ peers: [] }).with(first!), undefined);
});
