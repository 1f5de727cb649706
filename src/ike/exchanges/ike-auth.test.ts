// From nothing to an IKE SA with its first Child SA: IKE_SA_INIT and IKE_AUTH between two hosts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pair } from '../testing/pair.ts';

test('two hosts that share a secret have an IKE SA and a Child SA after four messages', () => {
  const pair = new Pair();
  const { moon, sun } = pair;
  moon.initiate(sun.endpoint);
  pair.deliver(sun);
  pair.deliver(moon);
  assert.equal(moon.sa.phase, 'connecting');
  pair.deliver(sun);
  assert.equal(sun.sa.phase, 'established');
  assert.equal(moon.sa.phase, 'connecting');
  pair.deliver(moon);
  assert.equal(moon.sa.phase, 'established');
  assert.equal(pair.wire.length, 0);
  assert.equal(moon.installed.size, 2);
  assert.equal(sun.installed.size, 2);
  pair.assertKeysAgree();
  assert.deepEqual(moon.sa.remoteIdentity, sun.sa.localIdentity);
  assert.equal(moon.eventsOf('child-established').length, 1);
});
