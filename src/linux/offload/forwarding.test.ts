// Joined packets, and large ones that the kernel hands over, against the kernel itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NamespacePair } from '../testing/namespace-pair.ts';
import type { ForwardingReport } from './testing/forwarding-end.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root for network namespaces and TUN devices';
const end = fileURLToPath(new URL('./testing/forwarding-end.js', import.meta.url));

async function forwarded(kind: 'plain' | 'offloading'): Promise<ForwardingReport> {
  const pair = new NamespacePair();
  try {
    const { status, output } = await pair.run('left', process.execPath, end, kind);
    assert.equal(status, 0, output);
    return JSON.parse(output) as ForwardingReport;
  } finally {
    pair.close();
  }
}

for (const [kind, name] of [
  ['plain', 'what is joined the kernel cuts into the same packets again'],
  ['offloading', 'what the kernel leaves uncut becomes the same packets that it was made of'],
] as const)
  test(`${name}: TCP and UDP over IPv4 and IPv6`, { skip, timeout: 60_000 }, async () => {
    const { takesLargeUdp, packets, writes, datagramWrites, reads, ...wrong } = await forwarded(kind);
    assert.deepEqual(wrong, { missing: 0, unexpected: 0 });
    assert.ok(packets > 500 && writes < packets / 3, `${packets} in ${writes}`);
    assert.ok(datagramWrites > 0 === takesLargeUdp);
    if (kind === 'plain') assert.ok(reads >= packets);
    else assert.ok(reads < packets / 3, `${reads}`);
  });
