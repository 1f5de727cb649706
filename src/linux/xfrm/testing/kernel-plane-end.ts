// A kernel data plane for tests within a namespace: each line of standard input is a command, and is answered by a line.
import { createInterface } from 'node:readline';
import type { SaCommand } from '#sa';
import { monotonicMs } from '../../libc/clock.ts';
import { KernelDataPlane } from '../kernel-data-plane.ts';
import { keyManagerGroups, policyRemovals, XfrmSocket } from '../xfrm-socket.ts';

const kernel = new XfrmSocket(keyManagerGroups);
const removals = policyRemovals();
const warnings: string[] = [];
const plane = new KernelDataPlane(process.argv[2] ?? 'test', new XfrmSocket(), (text) => warnings.push(text));

/** Everything that the kernel has said and that the data plane makes of it. */
function events(): unknown[] {
  for (let messages = kernel.receive(); messages !== undefined; messages = kernel.receive())
    for (const message of messages) plane.take(message, monotonicMs());
  for (let messages = removals.receive(); messages !== undefined; messages = removals.receive())
    for (const message of messages) plane.takeRemoval(message, monotonicMs());
  const all: unknown[] = [];
  for (let event = plane.poll(); event !== undefined; event = plane.poll()) all.push(event);
  return all;
}

function carryOut(line: string): unknown {
  switch (line) {
    case 'events':
      return events();
    case 'timeout':
      plane.handleTimeout(Number.POSITIVE_INFINITY);
      return 'done';
    case 'restored':
      events();
      return plane.policiesRestored;
    case 'foreign':
      return plane.foreignStates().map(({ spi }) => spi);
    case 'warnings':
      return warnings.splice(0);
    case 'remove-earlier':
      return plane.removeEarlier();
    case 'close':
      plane.close();
      return 'done';
    default: {
      const command = JSON.parse(line) as SaCommand;
      // Keys are octets again.
      if (command.kind === 'install')
        for (const one of [command.sa.encryption, command.sa.integrity])
          if (one !== undefined) Object.assign(one, { key: Uint8Array.from(Object.values(one.key)) });
      return plane.apply(command, monotonicMs());
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(`answer ${JSON.stringify(carryOut(line))}`);
}
