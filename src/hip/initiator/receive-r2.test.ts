// R2: what it proves, and what it does not (RFC 7401 6.10).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { writeHipChecksum } from '#wire';
import { addressesOf } from '../host-state.ts';
import { TwoHosts } from '../testing/two-hosts.ts';

test('an R2 that somebody sends on from elsewhere does not lead the data there', () => {
  const hosts = new TwoHosts();
  const { moon, sun } = hosts;
  hosts.call();
  for (const from of [moon, sun, moon]) hosts.deliver(hosts.take(from));
  const r2 = hosts.take(sun);
  const path = { ...r2.path, local: { address: address('203.0.113.9'), port: 0 } };
  const octets = r2.octets.slice();
  writeHipChecksum(octets, addressesOf(path.local.address, path.remote.address));
  hosts.deliver({ ...r2, path, octets });
  hosts.settle();
  assert.equal(moon.state(sun.hit), 'ESTABLISHED');
  assert.equal(moon.host.status()[0]?.path.remote.address, sun.address);
  assert.deepEqual(
    [...moon.outbound.values()].map(({ remote }) => remote),
    [sun.address],
  );
});
