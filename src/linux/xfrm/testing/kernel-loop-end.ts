// A packet thread on the kernel's data plane, for tests within a namespace: it says which of the sockets that it was given
// it has, when it has made rounds and which SPIs others have, and ends if it has made no rounds for long, unless it is told
// that it will be stopped.
import { address } from '#sa';
import { hipUdpPort } from '#wire';
import { PacketThread } from '../../packet-thread/packet-thread.ts';
import { DatagramSocket } from '../../sockets/datagram-socket.ts';

const nothing = (): undefined => undefined;
const everywhere = address('0.0.0.0');
const given = [500, 4500, hipUdpPort].map((port) => new DatagramSocket(everywhere, { kind: 'udp', port }).fd);
const thread = await PacketThread.open(
  {
    ...{ addresses: [everywhere], ikePort: 500, natTraversalPort: 4500, hip: true },
    ...{ nativeEsp: false, mark: 0, pathMtuBytes: 1500 },
    kernel: { ownerName: 'test', keepEarlierMs: 0, sockets: given },
  },
  {
    ...{
      datagram: nothing,
      hipPacket: nothing,
      addressesChanged: nothing,
      icmpError: nothing,
      event: nothing,
    },
    ...{ saResult: nothing, reports: nothing, restarted: nothing },
    foreignSpis: (spis) => console.log(`foreign ${spis}`),
    statistics: (verdicts) => {
      console.log(`lost ${verdicts['kernel-messages-lost']}`);
      console.log(`unreadable ${verdicts['kernel-messages-unreadable']}`);
    },
    died(error) {
      throw error;
    },
  },
);
await thread.listen();
console.log(`given ${given.join()}, has ${thread.sockets.join()}`);
thread.receive();
let { beats } = thread;
setInterval(() => {
  if (thread.beats === beats && process.argv[2] !== 'stopped') process.exit(1);
  ({ beats } = thread);
  console.log('rounds');
}, 2_000);
