// A router between two packet threads carries less than they think, and fragments get lost behind it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Integ } from '#sa';
import { assertClean, ping, stream, withTunnel } from '../testing/tunnel.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root for network namespaces and TUN devices';

const between = { mtuBytes: 1380, losesFragments: true };

const authenticationOnly = {
  encapsulated: false,
  encryption: undefined,
  integrity: { id: Integ.HMAC_SHA2_256_128, keyBytes: 32 },
} as const;

// RFC 4301 8.2: nobody but who sends through the tunnel can make packets smaller, and nobody but we can tell him.
for (const [name, options] of Object.entries({
  'UDP over IPv4': { family: 4, encapsulated: true },
  'UDP over IPv6': { family: 6, encapsulated: true },
  'UDP over IPv4, two packet threads': {
    family: 4,
    encapsulated: true,
    threads: 2,
    inner: { left: ['10.1.0.1/32', '2001:db8:1::1/128'], right: ['10.2.0.1/32', '2001:db8:2::1/128'] },
  },
  'native ESP over IPv4': { family: 4, encapsulated: false },
  'native ESP over IPv6': { family: 6, encapsulated: false },
  'AH over IPv4': { family: 4, ...authenticationOnly },
  'AH over IPv6': { family: 6, ...authenticationOnly },
} as const)) {
  test(`streams get through a path that carries less, without fragments: ${name}`, {
    skip,
    timeout: 180_000,
  }, async () => {
    const counted = await withTunnel({ ...options, between }, async (pair) => {
      await ping(pair, '10.2.0.1');
      await stream(pair, 'left', '10.2.0.1', 1_000_001);
      await stream(pair, 'left', '2001:db8:2::1', 1_000_001);
    });
    assertClean(counted.left, 'too-big', 'icmp-too-big', 'handed-over');
    assert.ok(counted.left['too-big']! > 0);
  });
}

for (const [name, options] of Object.entries({
  'UDP over IPv4': { family: 4, encapsulated: true },
  'native ESP over IPv6': { family: 6, encapsulated: false },
  'AH over IPv4': { family: 4, ...authenticationOnly },
} as const)) {
  test(`given a device that carries less than the tunnel needs, packets get smaller and none is lost for good: ${name}`, {
    skip,
    timeout: 180_000,
  }, async () => {
    const counted = await withTunnel({ ...options, deviceMtuBytes: 1380 }, async (pair) => {
      await stream(pair, 'left', '10.2.0.1', 1_000_001);
      await stream(pair, 'right', '2001:db8:1::1', 1_000_001);
    });
    for (const verdicts of [counted.left, counted.right]) {
      assertClean(verdicts, 'too-big', 'icmp-too-big', 'socket-refused');
      assert.ok(verdicts['icmp-too-big']! > 0);
    }
  });
}
