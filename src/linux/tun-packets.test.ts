// Packets of a TUN device one by one, in a network namespace.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NamespacePair } from './testing/namespace-pair.ts';
import type { TunPacketsReport } from './testing/tun-packets-end.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root for network namespaces and TUN devices';
const tunPacketsEnd = fileURLToPath(new URL('./testing/tun-packets-end.js', import.meta.url));

test('packets are whole, in order and with their checksums, and a device ends when it is closed or deleted', {
  skip,
}, async () => {
  const pair = new NamespacePair();
  try {
    const { status, output } = await pair.run('left', process.execPath, tunPacketsEnd);
    assert.equal(status, 0, output);
    const { packets, ...rest } = JSON.parse(output) as TunPacketsReport;
    assert.deepEqual(
      packets,
      Array.from({ length: 200 }, (_, i) => [28 + `datagram ${i}`.length, `datagram ${i}`]),
    );
    assert.deepEqual(rest, {
      writtenWhileDown: false,
      secondReader: 'somebody reads this device already',
      gone: true,
      deleted: 'read: EBADFD (wwplain0)',
      writtenWhenClosed: false,
    });
  } finally {
    pair.close();
  }
});
