// A half of a rekeying whose repetitions are spent: the peer may have it all the same, and has made its pair of it (RFC 7402 6.8 to 6.10).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hipDefaults } from '../configuration.ts';
import type { TestHost, Transit } from '../testing/two-hosts.ts';
import { TwoHosts } from '../testing/two-hosts.ts';

function rekey(hosts: TwoHosts, host: TestHost): void {
  const command = { kind: 'rekey', local: host.hit, remote: hosts.other(host).hit } as const;
  host.give(hosts.now, { kind: 'command', command });
}

/** Moon's request arrives at last, at its last repetition, but nothing of what sun says until moon has given up. */
function spent(sunAsksToo: boolean): TwoHosts {
  const patient = { retransmission: { ...hipDefaults.retransmission, tries: 8 } };
  const hosts = new TwoHosts({ sun: { configuration: patient } }).connect();
  const { moon, sun } = hosts;
  hosts.sendEsp(moon);
  rekey(hosts, moon);
  hosts.wait(1_000, () => false);
  if (sunAsksToo) rekey(hosts, sun);
  let arrived = 0;
  const last = ({ from }: Transit, type: string): boolean =>
    from === 'moon' && type === 'UPDATE' && hosts.now > 1_200 && arrived++ === 0;
  while (moon.eventsOf('silent').length === 0) hosts.wait(100, last);
  assert.equal(arrived, 1);
  assert.equal(sun.eventsOf('silent').length, 0);
  return hosts;
}

for (const sunAsksToo of [false, true]) {
  const how = sunAsksToo ? 'had asked for the same' : 'had answered';
  test(`it is not exchanged for another one when a peer is heard that ${how}`, () => {
    const hosts = spent(sunAsksToo);
    const { moon, sun } = hosts;
    // No new association is to mend it.
    hosts.wait(60_000, (_, type) => type === 'UPDATE');
    hosts.assertKeysAgree();
    for (const host of [moon, sun]) {
      assert.equal(host.eventsOf('rekeyed').length, 1, host.name);
      assert.deepEqual(host.eventsOf('rejected'), [], host.name);
      assert.equal(host.using.size, 1, host.name);
      hosts.sendEsp(host);
    }
    hosts.wait(10_000);
    for (const host of [moon, sun]) {
      assert.deepEqual([host.inbound.size, host.outbound.size], [1, 1], host.name);
      assert.deepEqual([...host.spis], [...host.inbound.keys()], host.name);
    }
    // And again, as if nothing had happened.
    rekey(hosts, moon);
    hosts.settle();
    assert.equal(sun.eventsOf('rekeyed').length, 2);
    hosts.assertKeysAgree();
  });
}

test('it is asked for once more when the peer is heard, though that has never got it', () => {
  const hosts = new TwoHosts().connect();
  const { moon, sun } = hosts;
  hosts.sendEsp(moon);
  rekey(hosts, moon);
  while (moon.eventsOf('silent').length === 0) hosts.wait(1_000, () => false);
  const command = { kind: 'check', local: sun.hit, remote: moon.hit, reason: 'a test' } as const;
  sun.give(hosts.now, { kind: 'command', command });
  hosts.wait(5_000, (_, type) => type === 'UPDATE');
  for (const host of [moon, sun]) assert.equal(host.eventsOf('rekeyed').length, 1, host.name);
  hosts.assertKeysAgree();
  assert.deepEqual(moon.eventsOf('ended'), []);
});
