// A program that decides what a socket is given, before it takes any room there (socket(7): SO_ATTACH_FILTER).
import { SO_ATTACH_FILTER, SO_DETACH_FILTER, SOL_SOCKET } from './constants.ts';
import { addressOf, attempt, must, pinned } from './libc.ts';

const instructionBytes = 8;

/**
 * In the place of the one that the socket has.
 * @param program of classic BPF, as `encodeFilter` makes it
 * @throws SystemCallError EINVAL for a program that the kernel does not like
 */
export function attachFilter(fd: number, program: Uint8Array): void {
  // struct sock_fprog
  const octets = pinned(16);
  const view = new DataView(octets.buffer);
  view.setUint16(0, program.length / instructionBytes, true);
  view.setBigUint64(8, addressOf(program), true);
  must('setsockopt', 'socket filter', fd, SOL_SOCKET, SO_ATTACH_FILTER, octets, octets.length);
}

/** A socket without one stays as it is. */
export function detachFilter(fd: number): void {
  attempt('setsockopt', fd, SOL_SOCKET, SO_DETACH_FILTER, pinned(4), 4);
}
