// Two packet threads with a tunnel between them in two network namespaces: real pings and streams of every shape.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Encr, Integ } from '#sa';
import { NamespacePair, outerAddresses, said } from '../testing/namespace-pair.ts';
import type { TunnelEnd } from '../testing/tunnel-end.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root for network namespaces and TUN devices';
const tunnelEnd = fileURLToPath(new URL('../testing/tunnel-end.js', import.meta.url));
const tcpTraffic = fileURLToPath(new URL('../testing/tcp-traffic.js', import.meta.url));

const inner = {
  left: ['10.1.0.1/32', '2001:db8:1::1/128'],
  right: ['10.2.0.1/32', '2001:db8:2::1/128'],
} as const;

const common: Omit<TunnelEnd, 'side' | 'outer'> = {
  inner,
  tunName: 'tun0',
  tunMtuBytes: 1400,
  encapsulated: true,
  esn: true,
  encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, keyBytes: 20 },
};

const authenticationOnly = {
  encapsulated: false,
  encryption: undefined,
  integrity: { id: Integ.HMAC_SHA2_256_128, keyBytes: 32 },
} as const;

type Verdicts = Readonly<Record<string, number>>;

/** Runs `use` with a tunnel between the namespaces; what both ends counted. */
async function withTunnel(
  options: Partial<TunnelEnd> & { readonly family: 4 | 6 },
  use: (pair: NamespacePair, ends: readonly ChildProcess[]) => Promise<void>,
): Promise<{ readonly left: Verdicts; readonly right: Verdicts }> {
  const pair = new NamespacePair();
  try {
    const { family, ...more } = options;
    const ends: ChildProcess[] = [];
    for (const side of ['left', 'right'] as const) {
      const end: TunnelEnd = { ...common, outer: outerAddresses[family], ...more, side };
      ends.push(pair.start(side, process.execPath, tunnelEnd, JSON.stringify(end)));
    }
    await Promise.all(ends.map((end) => said(end, 'ready')));
    await use(pair, ends);
    const told = ends.map((end) => said(end, '{'));
    for (const end of ends) end.stdin!.end();
    const [left, right] = (await Promise.all(told)).map((line) => JSON.parse(line) as Verdicts);
    return { left: left!, right: right! };
  } finally {
    pair.close();
  }
}

async function ping(pair: NamespacePair, target: string, ...words: string[]): Promise<void> {
  const { status, output } = await pair.run('left', 'ping', '-c', '1', '-W', '5', ...words, target);
  assert.equal(status, 0, `ping ${words.join(' ')} ${target}: ${output}`);
}

async function stream(
  pair: NamespacePair,
  from: 'left' | 'right',
  target: string,
  bytes: number,
): Promise<void> {
  const port = '5999';
  const server = pair.start(
    from === 'left' ? 'right' : 'left',
    process.execPath,
    tcpTraffic,
    'serve',
    target,
    port,
  );
  await said(server, 'ready');
  const { output } = await pair.run(from, process.execPath, tcpTraffic, 'send', target, port, String(bytes));
  server.kill();
  assert.equal(output, 'same\n');
}

/** Nothing went wrong at an end: every packet was sealed or opened. */
function assertClean(verdicts: Verdicts): void {
  const allowed = new Set(['sealed', 'opened', 'bypass', 'no-policy']);
  const wrong = Object.entries(verdicts).filter(([name, count]) => count > 0 && !allowed.has(name));
  assert.deepEqual(wrong, []);
}

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

test('given a packet thread that dies, another one goes on with its SAs where it was: no number is used twice', {
  skip,
  timeout: 180_000,
}, async () => {
  const counted = await withTunnel({ family: 4 }, async (pair, ends) => {
    for (const stale of [0, 1, 2]) {
      await stream(pair, 'left', '10.2.0.1', 500_001 + stale);
      await stream(pair, 'right', '10.1.0.1', 500_001 + stale);
      const restarted = said(ends[0]!, `restarted with 2 SAs`);
      ends[0]!.stdin!.write('die\n');
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
