// Which of the sockets that share a port for ESP in UDP a datagram comes to: the one of the thread that has its inbound SA.
import { encodeFilter, finish, finishWithAccumulator, loadWord, remainder } from './classic-bpf.ts';

/**
 * The place of a socket among so many, in the order in which they were bound, as SO_ATTACH_REUSEPORT_CBPF takes it: what is
 * loaded begins behind the UDP header. IKE is behind a word of zero (RFC 3948 2.2), and a keepalive too short for a word
 * (RFC 3948 2.3), so that loading it ends the program with 0. Of datagrams of one sender that the kernel carries as one, the
 * first alone is looked at, and the others come to the same place whatever their SPI.
 */
export function steeringBySpi(sockets: number): Uint8Array {
  return encodeFilter([
    { code: loadWord, k: 0 },
    { code: remainder, k: sockets },
    { code: finishWithAccumulator, k: 0 },
  ]);
}

/** Nothing passes. */
export const filterOfAll: Uint8Array = encodeFilter([{ code: finish, k: 0 }]);
