// For a test within a namespace: a filter that takes all the room there is, on a raw socket with a share, and then goes.
import { address } from '#sa';
import { encodeFilter, finish, jumpIfEqual } from '../../filters/classic-bpf.ts';
import { detachFilter } from '../../filters/socket-filter.ts';
import { SystemCallError } from '../../libc/errno.ts';
import { DatagramSocket } from '../datagram-socket.ts';

const socket = new DatagramSocket(
  address('0.0.0.0'),
  { kind: 'raw', protocol: 50 },
  { share: { protocol: 'esp', place: 0, of: 2 } },
);

function fits(instructions: number): boolean {
  const comparisons = Array.from({ length: instructions }, (_, k) => ({ code: jumpIfEqual, k }));
  detachFilter(socket.fd);
  try {
    socket.filter(encodeFilter([...comparisons, { code: finish, k: 0xffff }]));
    return true;
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.code !== 'ENOMEM') throw error;
    return false;
  }
}

let most = 0;
for (let step = 2_048; step >= 1; step /= 2) if (fits(most + step)) most += step;
console.log(fits(most) && most < 4_000 ? 'full' : 'not full');
socket.filter(undefined);
console.log('gone');
socket.close();
