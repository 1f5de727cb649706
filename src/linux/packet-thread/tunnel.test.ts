// Two packet threads with a tunnel between them in two network namespaces: real pings and streams of every shape.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Encr, Integ } from '#sa';
import { outerAddresses, said } from '../testing/namespace-pair.ts';
import { assertClean, ping, stream, withTunnel } from '../testing/tunnel.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root for network namespaces and TUN devices';

const authenticationOnly = {
  encapsulated: false,
  encryption: undefined,
  integrity: { id: Integ.HMAC_SHA2_256_128, keyBytes: 32 },
} as const;

for (const [name, options] of Object.entries({
  'UDP over IPv4': { family: 4, encapsulated: true },
  'UDP over IPv6': { family: 6, encapsulated: true },
  'native ESP over IPv4': { family: 4, encapsulated: false },
  'native ESP over IPv6': { family: 6, encapsulated: false },
  'AH over IPv4': { family: 4, ...authenticationOnly },
  'AH over IPv6': { family: 6, ...authenticationOnly },
} as const)) {
  test(`pings of all sizes and checked streams both ways: ${name}`, { skip, timeout: 180_000 }, async () => {
    const counted = await withTunnel(options, async (pair) => {
      for (const size of ['0', '1', '57', '1301', '1372', '5000']) await ping(pair, '10.2.0.1', '-s', size);
      for (const size of ['0', '57', '1352', '5001']) await ping(pair, '2001:db8:2::1', '-s', size);
      await stream(pair, 'left', '10.2.0.1', 3_000_001);
      await stream(pair, 'right', '10.1.0.1', 3_000_001);
      await stream(pair, 'left', '2001:db8:2::1', 3_000_001);
      await stream(pair, 'right', '2001:db8:1::1', 1_000_001);
    });
    for (const verdicts of [counted.left, counted.right]) {
      assertClean(verdicts);
      assert.ok(verdicts['opened']! > 2000 && verdicts['sealed']! > 2000);
    }
  });
}

for (const [name, options] of Object.entries({
  'ChaCha20-Poly1305': { encryption: { id: Encr.CHACHA20_POLY1305, keyLengthBits: 256, keyBytes: 36 } },
  'AES-CBC with HMAC-SHA2-256, ESN': {
    encryption: { id: Encr.AES_CBC, keyLengthBits: 128, keyBytes: 16 },
    integrity: { id: Integ.HMAC_SHA2_256_128, keyBytes: 32 },
  },
  'AES-CTR with HMAC-SHA1': {
    encryption: { id: Encr.AES_CTR, keyLengthBits: 256, keyBytes: 36 },
    integrity: { id: Integ.HMAC_SHA1_96, keyBytes: 20 },
    esn: false,
  },
  'AES-CCM, by node:crypto': { encryption: { id: Encr.AES_CCM_16, keyLengthBits: 128, keyBytes: 19 } },
} as const)) {
  test(`a checked stream under ${name}`, { skip, timeout: 180_000 }, async () => {
    const counted = await withTunnel({ family: 4, ...options }, async (pair) => {
      await stream(pair, 'left', '10.2.0.1', 1_000_001);
      await stream(pair, 'right', '2001:db8:1::1', 1_000_001);
    });
    assertClean(counted.left);
    assertClean(counted.right);
  });
}

test('given a device with a larger MTU than the tunnel, sources are told and streams get through', {
  skip,
  timeout: 180_000,
}, async () => {
  const counted = await withTunnel({ family: 4, tunMtuBytes: 1500 }, async (pair) => {
    const { status, output } = await pair.run(
      'left',
      'ping',
      '-c',
      '1',
      '-W',
      '2',
      '-M',
      'do',
      '-s',
      '1472',
      '10.2.0.1',
    );
    assert.notEqual(status, 0);
    // 1500 less IP, UDP, ESP header, IV, trailer and ICV, aligned to four octets.
    assert.match(output, /mtu = 1438/);
    await ping(pair, '10.2.0.1', '-M', 'do', '-s', '1410');
    await stream(pair, 'left', '10.2.0.1', 1_000_001);
    await stream(pair, 'left', '2001:db8:2::1', 1_000_001);
  });
  assert.ok(counted.left['too-big']! > 0);
});

for (const [name, options] of Object.entries({
  'ESP over IPv4': { family: 4, encapsulated: false },
  'ESP over IPv6': { family: 6, encapsulated: false },
  'AH over IPv4': { family: 4, ...authenticationOnly },
} as const))
  test(`given a peer that is not there any more, ICMP errors about ${name} to it are heard`, {
    skip,
    timeout: 180_000,
  }, async () => {
    const counted = await withTunnel(options, async (pair) => {
      await ping(pair, '10.2.0.1');
      const gone = `${outerAddresses[options.family].right}/${options.family === 4 ? 24 : 64}`;
      await pair.run('right', 'ip', 'address', 'del', gone, 'dev', 'veth0');
      await pair.run('left', 'ip', 'neighbour', 'flush', 'all');
      // Nobody says where the address is: that takes three seconds.
      assert.notEqual((await pair.run('left', 'ping', '-c', '5', '-W', '1', '10.2.0.1')).status, 0);
    });
    assert.ok(counted.left['icmp-of-peers']! > 0);
  });

test('given a packet thread that dies, another one goes on with its SAs where it was: no number is used twice', {
  skip,
  timeout: 180_000,
}, async () => {
  const counted = await withTunnel({ family: 4 }, async (pair, ends) => {
    for (const stale of [0, 1, 2]) {
      await stream(pair, 'left', '10.2.0.1', 500_001 + stale);
      await stream(pair, 'right', '10.1.0.1', 500_001 + stale);
      const restarted = said(ends[0]!, `restarted with 2 SAs`);
      ends[0]!.stdin!.write('0\n');
      await restarted;
      await ping(pair, '10.2.0.1');
    }
    await stream(pair, 'right', '2001:db8:1::1', 500_001);
  });
  // The end that never died has counted from the beginning.
  assertClean(counted.right);
  assertClean(counted.left);
  assert.ok(counted.left['opened']! > 100);
});
