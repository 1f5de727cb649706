// What one solved puzzle is good for (RFC 7401 4.1.1, appendix A).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hipParameterOctets, writeHipChecksum } from '#wire';
import { hipDefaults } from '../configuration.ts';
import { addressesOf } from '../host-state.ts';
import { type Transit, TwoHosts } from '../testing/two-hosts.ts';
import { acceptedMax } from './solution-memory.ts';

function withWrongMac({ octets, path }: Transit): Uint8Array {
  const forged = octets.slice();
  const mac = hipParameterOctets(forged, 'HIP_MAC')!;
  mac[4]! ^= 1;
  writeHipChecksum(forged, addressesOf(path.local.address, path.remote.address));
  return forged;
}

/** Moon has called, and its I2 is on its way. */
function called(changes: ConstructorParameters<typeof TwoHosts>[0] = {}): { hosts: TwoHosts; i2: Transit } {
  const hosts = new TwoHosts(changes);
  hosts.call();
  hosts.deliver(hosts.take(hosts.moon));
  hosts.deliver(hosts.take(hosts.sun));
  return { hosts, i2: hosts.take(hosts.moon) };
}

function countOf(rejections: readonly string[], what: string): number {
  return rejections.filter((one) => one === what).length;
}

test('a solution that was paid for once is good for a few Diffie-Hellman agreements, not for thousands', () => {
  const { hosts, i2 } = called();
  const octets = withWrongMac(i2);
  for (let i = 0; i < 1_000; i++) hosts.deliver({ ...i2, octets });
  const { rejections } = hosts.sun;
  assert.deepEqual([countOf(rejections, 'I2 mac'), countOf(rejections, 'I2 repeated')], [4, 996]);
});

test('nor is that of a stranger who proves who he is again and again', () => {
  const { hosts, i2 } = called({ sun: { configuration: { peers: [] } } });
  for (let i = 0; i < 1_000; i++) hosts.deliver(i2);
  const { rejections } = hosts.sun;
  assert.deepEqual([countOf(rejections, 'I2 not-configured'), countOf(rejections, 'I2 repeated')], [4, 996]);
});

test('an Initiator whose I2 somebody has changed on its way is heard all the same', () => {
  const { hosts, i2 } = called();
  hosts.deliver({ ...i2, octets: withWrongMac(i2) });
  hosts.deliver(i2);
  hosts.settle();
  assert.equal(hosts.moon.state(hosts.sun.hit), 'ESTABLISHED');
});

test('an I2 that was accepted is never accepted again, however many others came meanwhile', () => {
  const puzzle = { ...hipDefaults.puzzle, calmPerSecond: 1e6 };
  const r1PerSecond = { perPrefix: 1e6, total: 1e6 };
  const { hosts, i2 } = called({ sun: { configuration: { puzzle, r1PerSecond } } });
  hosts.deliver(i2);
  hosts.settle();
  // All of them answer one R1: no time passes.
  for (let i = 0; i < acceptedMax + 10; i++) {
    hosts.call();
    hosts.settle();
  }
  const established = (): number => hosts.sun.events.filter(({ kind }) => kind === 'established').length;
  const before = established();
  assert.equal(before, acceptedMax + 11);
  hosts.deliver(i2);
  assert.equal(established(), before);
  // There was no room to remember more of that R1: no answer to it is taken.
  assert.equal(hosts.sun.rejections.at(-1), 'I2 stale-puzzle');
});
