// What the kernel has learned of paths, for tests within a namespace: each line of standard input is a peer's address, or `look`,
// which is answered with what there is to tell.
import { createInterface } from 'node:readline';
import { address, type Spi } from '#sa';
import { KernelPaths } from '../kernel-paths.ts';

const paths = new KernelPaths(1_500);
const peers: string[] = [];

for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'look') {
    peers.push(line);
    continue;
  }
  const events = paths.look(0, () =>
    peers.map((peer, i) => ({
      ...{ protocol: 'esp', direction: 'outbound', spi: (300 + i) as Spi, childId: i, ended: false },
      remote: { address: address(peer), port: 0 },
    })),
  );
  console.log(`told ${JSON.stringify(events)}`);
}
