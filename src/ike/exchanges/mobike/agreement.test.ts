// Who may move, and from where on (RFC 4555 1.2, 3.2, 3.3).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { child } from '../../testing/connections.ts';
import { atHome, elsewhere, mobile, tunnels } from '../../testing/mobile-pair.ts';

// RFC 4555 3.2, 3.3, 4.2.1
test('both ends that want to may move, and use port 4500 from IKE_AUTH on without any NAT', () => {
  const pair = mobile();
  pair.moon.initiate(pair.sun.endpoint);
  assert.equal(pair.take(pair.sun).destination.port, 500);
  const again = mobile().establish();
  for (const host of [again.moon, again.sun]) {
    assert.notEqual(host.sa.mobility, undefined);
    assert.equal(host.sa.local.port, 4500);
    assert.equal(host.sa.remote.port, 4500);
    assert.equal(host.sa.nat.local || host.sa.nat.remote, false);
  }
  assert.equal(again.moon.sa.mobility?.client, true);
  assert.equal(again.sun.sa.mobility?.client, false);
  // Without a NAT ESP stays out of UDP.
  assert.deepEqual(tunnels(again.sun), atHome);
});

// RFC 4555 3.2, 1.2
test('one end that does not want to, or has anything but tunnels, is enough not to', () => {
  const transport = { children: [child('sun', { mode: 'transport' as const })] };
  for (const options of [
    { moon: { change: { mobike: false } } },
    { sun: { change: { mobike: false } } },
    { sun: { change: transport } },
  ]) {
    const pair = mobile(options);
    pair.moon.initiate(pair.sun.endpoint);
    pair.settle();
    assert.equal(pair.moon.sa.mobility, undefined);
    assert.equal(pair.sun.sa.mobility, undefined);
    pair.moon.command({ kind: 'move', local: elsewhere });
    pair.collect();
    assert.equal(pair.wire.length, 0);
  }
});
