// How much larger an R1 is than the I1 that asks for it, by the Responder's key: the figures of docs/hip.md (RFC 7401 6.7).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hipDefaults } from '../configuration.ts';
import type { TestKey } from '../testing/identities.ts';
import { TwoHosts, typeOf } from '../testing/two-hosts.ts';

const sizes: readonly (readonly [TestKey, number, number])[] = [
  ['p256-b', 7, 384],
  ['p384-b', 7, 448],
  ['rsa-b', 7, 752],
  ['rsa-b', 4, 1072],
];

for (const [key, group, expected] of sizes) {
  test(`an R1 of ${key} in group ${group} has ${expected} octets`, () => {
    const groups = [group, ...hipDefaults.groups.filter((one) => one !== group)];
    const hosts = new TwoHosts({
      moon: { configuration: { groups } },
      sun: { key, configuration: { groups } },
    });
    hosts.call();
    const i1 = hosts.take(hosts.moon);
    hosts.deliver(i1);
    const r1 = hosts.take(hosts.sun);
    assert.deepEqual([typeOf(i1), typeOf(r1)], ['I1', 'R1']);
    assert.equal(i1.octets.length, 48);
    assert.equal(r1.octets.length, expected);
  });
}
