// Whether the other end of a local socket may speak about SPIs: root, or whoever we are.
import type { Socket } from 'node:net';
import { peerCredentials, SystemCallError } from '#linux';

/** Why not; `undefined` if it may. Credentials that cannot be read are no credentials. */
export function distrustOf(socket: Socket): string | undefined {
  // Node has no public name for this number, and the kernel tells credentials of a number only.
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: unknown } };
  const fd = handle?.fd;
  if (typeof fd !== 'number' || fd < 0) return 'its credentials cannot be read';
  try {
    const { uid, pid } = peerCredentials(fd);
    return uid === 0 || uid === process.getuid?.() ? undefined : `process ${pid} belongs to user ${uid}`;
  } catch (error) {
    if (error instanceof SystemCallError) return error.message;
    throw error;
  }
}
