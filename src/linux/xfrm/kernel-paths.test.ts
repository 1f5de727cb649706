// What the kernel has learned of the size of packets on a path, behind a router that carries less.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NamespacePair, routedAddresses, said } from '../testing/namespace-pair.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root for network namespaces';
const end = fileURLToPath(new URL('./testing/kernel-paths-end.js', import.meta.url));

test('what the kernel has learned of a path is told once, and again when it has become less', {
  skip,
}, async () => {
  const pair = new NamespacePair(1_500, { mtuBytes: 1_400 });
  try {
    const peers = [routedAddresses[4].right, routedAddresses[6].right];
    const child = pair.start('left', process.execPath, end);
    const look = async (): Promise<readonly (readonly unknown[])[]> => {
      const told = said(child, 'told ');
      child.stdin!.write('look\n');
      const events = JSON.parse((await told).slice('told '.length)) as Record<string, unknown>[];
      return events.map(({ kind, remote, spi, pathMtuBytes }) => [kind, remote, spi, pathMtuBytes]);
    };
    child.stdin!.write(`${peers.join('\n')}\n203.0.113.1\n`);
    assert.deepEqual(await look(), []);
    const tooLarge = async (bytes: number): Promise<void> => {
      for (const peer of peers)
        await pair.run('left', 'ping', '-M', 'do', '-c', '1', '-W', '1', '-s', String(bytes), peer);
    };
    for (const mtuBytes of [1_400, 1_300]) {
      pair.narrow(mtuBytes);
      await tooLarge(mtuBytes + 50);
      assert.deepEqual(
        await look(),
        peers.map((peer, i) => ['path-mtu', peer, 300 + i, mtuBytes]),
      );
      assert.deepEqual(await look(), []);
    }
    for (const family of ['-4', '-6']) await pair.run('left', 'ip', family, 'route', 'flush', 'cache');
    assert.deepEqual(await look(), []);
    await tooLarge(1_350);
    assert.equal((await look()).length, 2);
  } finally {
    pair.close();
  }
});
