// Who is at the other end of a local socket, as the kernel knows it: node:net cannot tell.
import { SO_PEERCRED, SOL_SOCKET } from '../libc/constants.ts';
import { must, pinned } from '../libc/libc.ts';

/** Of the process that connected or listens, at that time. Numbers are those of our own namespaces. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** @throws SystemCallError if `fd` is no connected local socket */
export function peerCredentials(fd: number): PeerCredentials {
  // struct ucred
  const octets = pinned(12);
  const length = pinned(4);
  new DataView(length.buffer).setUint32(0, octets.length, true);
  must('getsockopt', `SO_PEERCRED of fd ${fd}`, fd, SOL_SOCKET, SO_PEERCRED, octets, length);
  const view = new DataView(octets.buffer);
  return { pid: view.getInt32(0, true), uid: view.getUint32(4, true), gid: view.getUint32(8, true) };
}
