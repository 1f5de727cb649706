// Which LSI a peer gets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import type { Hit } from '#wire';
import { type HipPeer, hipDefaults } from './configuration.ts';
import { lsiTableOf } from './local-scope-identifiers.ts';
import { testIdentity } from './testing/identities.ts';

function lsisOf(...peers: Partial<HipPeer>[]): string[] {
  const all = peers.map((peer, i) => ({ name: `peer ${i}`, addresses: [], ...peer }));
  return lsiTableOf({ ...hipDefaults, identities: [testIdentity('p256-a')], peers: all }).peers.map(
    ({ lsi }) => lsi,
  );
}
const hit = (end: string): Hit => `2001002100000000000000000${end.padStart(7, '0')}` as Hit;

test('follows from the end of its HIT, so that other peers do not change it', () => {
  assert.deepEqual(lsisOf({ hit: hit('0a0b0c') }), ['1.10.11.12']);
  assert.deepEqual(lsisOf({ hit: hit('123456') }, { hit: hit('0a0b0c') }), ['1.18.52.86', '1.10.11.12']);
});

test('is never ours, a network’s, a broadcast, or another peer’s', () => {
  assert.deepEqual(lsisOf({ hit: hit('000000') }), ['1.0.0.2']);
  assert.deepEqual(lsisOf({ hit: hit('ffffff') }), ['1.0.0.2']);
  assert.deepEqual(lsisOf({ hit: hit('1000aa') }, { hit: hit('21000aa') }), ['1.16.0.170', '1.16.0.171']);
});

test('is the configured one, which no other peer gets', () => {
  const lsi = address('1.10.11.12');
  assert.deepEqual(lsisOf({ hit: hit('0a0b0c') }, { hit: hit('77'), lsi }), ['1.10.11.13', '1.10.11.12']);
});

test('is none for a peer whose HIT nobody knows', () => {
  assert.deepEqual(lsisOf({}), []);
});
