// Datagrams with a mark and without one, for a test within a namespace: whether each left, and the mark of its socket.
import { address } from '#sa';
import { SO_MARK, SOL_SOCKET } from '../../libc/constants.ts';
import { must, pinned } from '../../libc/libc.ts';
import { outerAddresses } from '../../testing/namespace-pair.ts';
import { DatagramSocket } from '../datagram-socket.ts';

function markOf(fd: number): number {
  const [octets, length] = [pinned(4), pinned(4)];
  length[0] = 4;
  must('getsockopt', 'SO_MARK', fd, SOL_SOCKET, SO_MARK, octets, length);
  return new DataView(octets.buffer).getUint32(0, true);
}

for (const mark of [Number(process.argv[2]), 0]) {
  for (const family of [4, 6] as const) {
    const { left, right } = outerAddresses[family];
    const everywhere = address(family === 4 ? '0.0.0.0' : '::');
    const socket = new DatagramSocket(everywhere, { kind: 'udp', port: 4500 }, { mark, marksEach: true });
    const sent = socket.send(address(left), { address: address(right), port: 9 }, Uint8Array.of(1));
    console.log(`${family} ${sent} ${markOf(socket.fd)}`);
    socket.close();
  }
}
