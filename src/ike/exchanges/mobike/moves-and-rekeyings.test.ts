// Moves while SAs are replaced (RFC 4555 3.5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addresses } from '../../testing/connections.ts';
import { atHome, between, elsewhere, mobile, tunnels } from '../../testing/mobile-pair.ts';

// RFC 4555 3.5
test('moves and rekeyings of both SAs at once end with all SAs where the client is', () => {
  for (const rekey of ['rekey-ike', 'rekey-child'] as const) {
    for (const by of ['moon', 'sun'] as const) {
      for (let held = 0; held < 4; held++) {
        const pair = mobile().establish();
        const command = rekey === 'rekey-ike' ? { kind: rekey } : { kind: rekey, childId: 1 };
        pair[by].command(command);
        pair.collect();
        for (let i = 0; i < held; i++) {
          const datagram = pair.wire.shift();
          if (datagram !== undefined) pair.deliver(datagram.to, datagram);
        }
        pair.moon.command({ kind: 'move', local: elsewhere });
        pair.settle();
        pair.run(20_000);
        const told = `${rekey} by ${by}, ${held} messages before`;
        assert.deepEqual(new Set(tunnels(pair.sun)), new Set(between(addresses.sun, elsewhere)), told);
        assert.deepEqual(new Set(tunnels(pair.moon)), new Set(between(elsewhere, addresses.sun)), told);
        assert.equal(pair.sun.sa.mobility?.client, false);
        assert.equal(pair.moon.sa.mobility?.client, true);
        pair.assertKeysAgree();
      }
    }
  }
});

test('an update that is lost with the IKE SA under which it was sent is sent under the one that replaces it', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.drop(pair.sun);
  pair.sun.command({ kind: 'rekey-ike' });
  pair.settle();
  assert.equal(pair.sun.sa.remote.address, elsewhere);
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere));
});

test('after the gateway has rekeyed the IKE SA it is still the client who moves', () => {
  const pair = mobile().establish();
  pair.sun.command({ kind: 'rekey-ike' });
  pair.settle();
  assert.equal(pair.sun.sa.role, 'initiator');
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.settle();
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere));
});

test('a pair made while the gateway still asks leads to where the peer was known to be', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.deliver(pair.sun);
  const [answer, check] = [pair.take(pair.moon), pair.take(pair.moon)];
  pair.deliver(pair.moon, answer);
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.deliver(pair.sun);
  assert.deepEqual(new Set(tunnels(pair.sun)), new Set(atHome));
  pair.deliver(pair.moon, check);
  pair.settle();
  assert.deepEqual(new Set(tunnels(pair.sun)), new Set(between(addresses.sun, elsewhere)));
});
