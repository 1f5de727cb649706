// A peer that was silent, and is heard again before anybody has given it up (RFC 7401 6.11 4, 4.5.4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { TwoHosts } from '../testing/two-hosts.ts';

test('a peer that was silent where it was, and says that it has moved, keeps its association', () => {
  const hosts = new TwoHosts().connect();
  const { moon, sun } = hosts;
  hosts.sendEsp(moon);
  const command = { kind: 'check', local: sun.hit, remote: moon.hit, reason: 'a test' } as const;
  sun.give(hosts.now, { kind: 'command', command });
  // moon is on its way, and hears nothing.
  hosts.wait(40_000, () => false);
  assert.equal(sun.eventsOf('silent').length, 1);
  const [from, to] = [moon.address, address('192.0.2.77')];
  moon.address = to;
  moon.give(hosts.now, { kind: 'command', command: { kind: 'move', from, to } });
  hosts.wait(200_000);
  assert.deepEqual([sun.eventsOf('ended'), moon.eventsOf('ended')], [[], []]);
  assert.equal(sun.host.status()[0]?.path.remote.address, to);
  hosts.assertKeysAgree();
});
