// Keepalives of a host behind a NAT (RFC 3948 4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuration, connection } from './testing/configurations.ts';
import { type EngineHost, EnginePair } from './testing/two-engines.ts';

/** `encap = yes` at sun makes moon believe that there is a NAT in front of it. */
function pairBehindNat(natKeepaliveMs: number): EnginePair {
  return new EnginePair({
    moon: configuration('moon', { natKeepaliveMs }),
    sun: configuration('sun', { connections: [connection('sun', { encap: true })], natKeepaliveMs }),
  });
}

function keepalives(host: EngineHost): number {
  return host.sent.filter(
    ({ octets, source }) => octets.length === 1 && octets[0] === 0xff && source.port === 4500,
  ).length;
}

test('a host behind a NAT sends one whenever it was silent for the interval', () => {
  const pair = pairBehindNat(20_000).establish();
  const behind = [pair.moon, pair.sun].filter(({ engine }) => engine.status().ikeSas[0]?.behindNat);
  assert.ok(behind.length > 0, 'somebody believes in the NAT');
  pair.run(61_000);
  for (const host of behind) assert.equal(keepalives(host), 3, host.name);
});

test('not by a host in the open, nor where they are turned off', () => {
  const open = new EnginePair().establish();
  open.run(120_000);
  assert.deepEqual([keepalives(open.moon), keepalives(open.sun)], [0, 0]);
  const off = pairBehindNat(0).establish();
  off.run(120_000);
  assert.deepEqual([keepalives(off.moon), keepalives(off.sun)], [0, 0]);
});

test('they go on after a rekeying, from the successor alone', () => {
  const pair = pairBehindNat(20_000).establish();
  const behind = [pair.moon, pair.sun].find(({ engine }) => engine.status().ikeSas[0]?.behindNat)!;
  behind.command({ kind: 'rekey', connection: 'gateway' });
  pair.settle();
  pair.run(61_000);
  assert.equal(keepalives(behind), 3);
});
