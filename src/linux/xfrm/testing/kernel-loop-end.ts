// A packet thread on the kernel's data plane, for tests within a namespace: it says when it has made rounds, and
// ends if it has made none for long.
import { address } from '#sa';
import { PacketThread } from '../../packet-thread/packet-thread.ts';

const nothing = (): undefined => undefined;
const thread = await PacketThread.open(
  {
    ...{ addresses: [address('0.0.0.0')], ikePort: 500, natTraversalPort: 4500 },
    ...{ nativeEsp: false, mark: 0, pathMtuBytes: 1500, kernel: { ownerName: 'test', keepEarlierMs: 0 } },
  },
  {
    ...{
      datagram: nothing,
      hipPacket: nothing,
      addressesChanged: nothing,
      icmpError: nothing,
      event: nothing,
    },
    ...{ saResult: nothing, reports: nothing, statistics: nothing, restarted: nothing },
    died(error) {
      throw error;
    },
  },
);
await thread.listen();
thread.receive();
let { beats } = thread;
setInterval(() => {
  if (thread.beats === beats) process.exit(1);
  ({ beats } = thread);
  console.log('rounds');
}, 2_000);
