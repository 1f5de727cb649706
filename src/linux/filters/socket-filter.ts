// Programs that decide what a socket is given, before it takes any room there, and which one of several (socket(7):
// SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF).
import {
  SO_ATTACH_FILTER,
  SO_ATTACH_REUSEPORT_CBPF,
  SO_DETACH_FILTER,
  SOL_SOCKET,
} from '../libc/constants.ts';
import { addressOf, attempt, must, pinned } from '../libc/libc.ts';

const instructionBytes = 8;

/**
 * In the place of the one that the socket has.
 * @param program of classic BPF, as `encodeFilter` makes it
 * @throws SystemCallError EINVAL for a program that the kernel does not like
 */
export function attachFilter(fd: number, program: Uint8Array): void {
  attach(fd, program, SO_ATTACH_FILTER, 'socket filter');
}

/**
 * For all sockets that share the port, in the place of the program that they have.
 * @param program of classic BPF that gives the place of a socket, in the order in which they were bound
 * @throws SystemCallError EINVAL if no other socket was bound to the port after this one was ready to share it
 */
export function attachSteering(fd: number, program: Uint8Array): void {
  attach(fd, program, SO_ATTACH_REUSEPORT_CBPF, 'steering between sockets');
}

function attach(fd: number, program: Uint8Array, option: number, detail: string): void {
  // struct sock_fprog
  const octets = pinned(16);
  const view = new DataView(octets.buffer);
  view.setUint16(0, program.length / instructionBytes, true);
  view.setBigUint64(8, addressOf(program), true);
  must('setsockopt', detail, fd, SOL_SOCKET, option, octets, octets.length);
}

/** A socket without one stays as it is. */
export function detachFilter(fd: number): void {
  attempt('setsockopt', fd, SOL_SOCKET, SO_DETACH_FILTER, pinned(4), 4);
}
