// Somebody sends our own packets back to us: we are no peer of ourselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zeroHit } from '#wire';
import { TwoHosts } from './testing/two-hosts.ts';

// RFC 7401 4.1.8: whoever answers is taken. HIP_SIGNATURE_2 covers no receiver, so that our own R1 could be an answer.
test('an opportunistic I1 that comes back makes no association of a host with itself', () => {
  const hosts = new TwoHosts({ moon: { configuration: { peers: [], accept: 'any' } } });
  const { moon, sun } = hosts;
  const path = { local: moon.endpoint, remote: sun.endpoint };
  const command = { kind: 'associate', remote: zeroHit, path, reason: 'a test' } as const;
  moon.give(hosts.now, { kind: 'command', command });
  for (const { octets } of moon.sent) moon.give(hosts.now, { kind: 'packet', path, octets: octets.slice() });
  assert.deepEqual(moon.rejections, ['I1 reflected']);
  assert.equal(moon.inbound.size, 0);
});
