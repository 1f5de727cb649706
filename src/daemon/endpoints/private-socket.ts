// Unix sockets that only their owner can open.
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';

/** sockaddr_un: a longer path would be cut without a word. */
const pathBytesMax = 107;

/** Somebody else serves the socket, or its path cannot be used. */
export class ControlSocketError extends Error {
  override readonly name = 'ControlSocketError';
  readonly code = 'control-socket' as const;
}

/** The path in other words if it looks like a number, which Node takes for a TCP port. */
export function notPort(path: string): string {
  return path.startsWith('/') ? path : `./${path}`;
}

/** @param what it is, for whoever reads why it cannot be had @throws ControlSocketError */
export async function listenPrivately(server: Server, path: string, what: string): Promise<void> {
  if (path === '') throw new ControlSocketError(`${what}: the path is empty`);
  if (Buffer.byteLength(path) > pathBytesMax)
    throw new ControlSocketError(`${what} ${path}: the path is longer than ${pathBytesMax} octets`);
  // The system would report this as a lack of permission.
  if (!existsSync(dirname(path)))
    throw new ControlSocketError(`${what} ${path}: there is no folder ${dirname(path)}`);
  await removeStale(path);
  // The socket must never be open to others, not even between its creation and a chmod.
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(new ControlSocketError(`${what} ${path} cannot be opened: ${error.message}`)),
      );
      server.listen(notPort(path), resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
}

/** A daemon that was killed leaves its socket behind; one that runs answers. */
async function removeStale(path: string): Promise<void> {
  try {
    if (!lstatSync(path).isSocket()) throw new ControlSocketError(`${path} exists and is no socket`);
  } catch (error) {
    if (error instanceof ControlSocketError) throw error;
    return;
  }
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(notPort(path), () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(false));
  });
  if (alive) throw new ControlSocketError(`another daemon serves ${path}`);
  removeFile(path);
}

export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone already.
  }
}
