// Several queues of one TUN device, in a network namespace.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GsoType } from './offload/virtio-net-header.ts';
import { NamespacePair } from './testing/namespace-pair.ts';
import type { TunQueuesReport } from './testing/tun-queues-end.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root for network namespaces and TUN devices';
const tunQueuesEnd = fileURLToPath(new URL('./testing/tun-queues-end.js', import.meta.url));

test('given two queues of a device, a flow is answered by the one that it came in by, uncut', {
  skip,
}, async () => {
  const pair = new NamespacePair();
  try {
    const { status, output } = await pair.run('left', process.execPath, tunQueuesEnd);
    assert.equal(status, 0, output);
    const { takesLargeUdp, flows, refusals } = JSON.parse(output) as TunQueuesReport;
    for (const family of [4, 6] as const) {
      assert.deepEqual([...new Set(flows[family].map(({ writtenTo }) => writtenTo))], [0, 1]);
      for (const { writtenTo, received, answers } of flows[family]) {
        assert.deepEqual(received, [1000, 1000, 1000]);
        const large = {
          packetBytes: (family === 4 ? 28 : 48) + 3000,
          ...{ gsoType: GsoType.UDP_L4, gsoBytes: 1000, needsChecksum: true },
        };
        // A kernel that does not know of UDP packets to be cut cuts them before.
        const cut = {
          packetBytes: (family === 4 ? 28 : 48) + 1000,
          ...{ gsoType: GsoType.NONE, gsoBytes: 0, needsChecksum: true },
        };
        const expected = takesLargeUdp[0] === true ? [large] : [cut, cut, cut];
        assert.deepEqual(
          answers,
          expected.map((answer) => ({ queue: writtenTo, ...answer })),
        );
      }
    }
    assert.equal(takesLargeUdp[0], takesLargeUdp[1]);
    // Whoever wants the device anew, or as what it is not, does not get it.
    assert.deepEqual(refusals, ['EBUSY', 'EINVAL', 'EBUSY', 'EINVAL', 'EBUSY']);
  } finally {
    pair.close();
  }
});
