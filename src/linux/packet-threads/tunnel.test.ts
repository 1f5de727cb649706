// Packet threads side by side at both ends of a tunnel with several pairs of SAs: none of them sees more than its own packets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Integ } from '#sa';
import { said } from '../testing/namespace-pair.ts';
import { assertClean, ping, stream, type Verdicts, withTunnel } from '../testing/tunnel.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root for network namespaces and TUN devices';

const packetFlood = fileURLToPath(new URL('../testing/packet-flood.js', import.meta.url));

const pairs = [1, 2, 3, 4];
const inner = {
  left: [...pairs.map((i) => `10.1.0.${i}/32`), '2001:db8:1::1/128'],
  right: [...pairs.map((i) => `10.2.0.${i}/32`), '2001:db8:2::1/128'],
};

function handedOver({ left, right }: { readonly left: Verdicts; readonly right: Verdicts }): number {
  return left['handed-over']! + right['handed-over']!;
}

for (const [name, options] of Object.entries({
  'UDP over IPv4': { family: 4, encapsulated: true, threads: 3 },
  'UDP over IPv6': { family: 6, encapsulated: true, threads: 2 },
  'native ESP over IPv4': { family: 4, encapsulated: false, threads: 3 },
  'native ESP over IPv6': { family: 6, encapsulated: false, threads: 3 },
  'AH over IPv4': {
    family: 4,
    ...{ encapsulated: false, encryption: undefined, threads: 2 },
    integrity: { id: Integ.HMAC_SHA2_256_128, keyBytes: 32 },
  },
  'AH over IPv6': {
    family: 6,
    ...{ encapsulated: false, encryption: undefined, threads: 2 },
    integrity: { id: Integ.HMAC_SHA2_256_128, keyBytes: 32 },
  },
} as const)) {
  test(`pings and checked streams of all pairs at once: ${name}`, { skip, timeout: 180_000 }, async () => {
    const counted = await withTunnel({ ...options, inner }, async (pair) => {
      for (const i of pairs) await ping(pair, `10.2.0.${i}`, '-I', `10.1.0.${i}`, '-s', '3000');
      await ping(pair, '2001:db8:2::1', '-s', '57');
      await Promise.all([
        ...pairs.map((i) => stream(pair, i % 2 === 0 ? 'left' : 'right', endOf(i), 1_000_001 + i)),
        stream(pair, 'left', '2001:db8:2::1', 1_000_001),
      ]);
    });
    for (const verdicts of [counted.left, counted.right]) {
      assertClean(verdicts, 'handed-over');
      assert.ok(verdicts['opened']! > 500 && verdicts['sealed']! > 500);
    }
    assert.ok(handedOver(counted) > 0);
    assert.ok(handedOver(counted) < counted.left['sealed']! / 10, 'the kernel keeps flows in their threads');
  });
}

function endOf(i: number): string {
  return i % 2 === 0 ? `10.2.0.${i}` : `10.1.0.${i}`;
}

for (const protocol of ['esp', 'ah'])
  test(`each packet with an unknown SPI of ${protocol} comes to one thread`, {
    skip,
    timeout: 180_000,
  }, async () => {
    let sent = 0;
    const counted = await withTunnel({ family: 4, encapsulated: false, inner, threads: 2 }, async (pair) => {
      const flood = [process.execPath, packetFlood, '192.0.2.1', '300', '1', '1', protocol];
      sent = JSON.parse((await pair.run('right', ...flood)).output).sent[protocol];
    });
    assert.ok(sent > 100);
    assert.equal(counted.left['unknown-spi'], sent);
  });

test('given a flood of unknown SPIs that the kernel filters, each thread is given what is its own', {
  skip,
  timeout: 180_000,
}, async () => {
  const options = { family: 4, encapsulated: false, inner, threads: 2 } as const;
  const counted = await withTunnel(options, async (pair) => {
    const seconds = '120';
    const flood = pair.start(
      'right',
      process.execPath,
      packetFlood,
      '192.0.2.1',
      '100000',
      seconds,
      '1',
      'esp',
    );
    const filtered = async (): Promise<number> => {
      const verdicts = JSON.parse(`{${await pair.ask('left', 'verdicts', '{')}`) as Verdicts;
      return verdicts['unknown-spi-filtered'] ?? 0;
    };
    while ((await filtered()) <= 10_000) assert.equal(flood.exitCode, null, 'it is not filtered');
    for (const i of pairs) await ping(pair, `10.2.0.${i}`, '-I', `10.1.0.${i}`);
    await stream(pair, 'left', '10.2.0.1', 500_001);
    await stream(pair, 'right', '10.1.0.2', 500_001);
    flood.kill('SIGKILL');
  });
  assertClean(counted.right, 'handed-over');
});

test('given any thread that dies, another one goes on with its SAs, its queue and its socket, and the others as before', {
  skip,
  timeout: 180_000,
}, async () => {
  const counted = await withTunnel({ family: 4, inner, threads: 3 }, async (pair, ends) => {
    for (const thread of [0, 1, 2]) {
      const restarted = said(ends[0]!, 'restarted with');
      ends[0]!.stdin!.write(`${thread}\n`);
      await restarted;
      for (const i of pairs) await ping(pair, `10.2.0.${i}`, '-I', `10.1.0.${i}`);
      await Promise.all(pairs.map((i) => stream(pair, i % 2 === 0 ? 'left' : 'right', endOf(i), 200_001)));
    }
  });
  assertClean(counted.right, 'handed-over');
  assertClean(counted.left, 'handed-over');
});
