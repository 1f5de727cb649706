// vici over Unix sockets, which is where daemons serve it.
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { ViciClient } from './client.ts';
import { ViciError } from './error.ts';
import type { ViciServer } from './server.ts';

/** Where Debian's charon serves vici, and where swanctl looks for it unless told otherwise with `--uri`. */
export const charonSocketPath = '/var/run/charon.vici';

/** The path in other words if it looks like a number, which Node takes for a TCP port. */
function notPort(path: string): string {
  return path.startsWith('/') ? path : `./${path}`;
}

/** @throws ViciError with code `socket` */
export function connectVici(path: string = charonSocketPath): Promise<ViciClient> {
  return new Promise((resolve, reject) => {
    if (path === '') throw new ViciError('socket', 'the path of the vici socket is empty');
    const socket = connect(notPort(path));
    const refused = (error: Error): void =>
      reject(new ViciError('socket', `vici socket ${path}: ${error.message}`, { cause: error }));
    socket.once('error', refused);
    socket.once('connect', () => {
      socket.off('error', refused);
      resolve(new ViciClient(socket));
    });
  });
}

/** A server on a socket, until it is closed. */
export interface ViciListener {
  /** Disconnects everybody and removes the socket. */
  close(): Promise<void>;
}

/**
 * Serves on a socket that only its owner may open. One that a dead daemon left behind is replaced.
 *
 * @throws ViciError with code `socket`
 */
export async function listenVici(path: string, server: ViciServer): Promise<ViciListener> {
  if (path === '') throw new ViciError('socket', 'the path of the vici socket is empty');
  await removeStale(path);
  const sockets = createServer((socket) => server.serve(socket));
  // The socket must never be open to others, not even between its creation and a chmod.
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      sockets.once('error', (error) =>
        reject(new ViciError('socket', `vici socket ${path}: ${error.message}`, { cause: error })),
      );
      sockets.listen(notPort(path), resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => sockets.close(() => resolve()));
      server.close();
      await closed;
    },
  };
}

async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new ViciError('socket', `${path} exists and is no socket`);
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(notPort(path), () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(false));
  });
  if (alive) throw new ViciError('socket', `another daemon serves ${path}`);
  unlinkSync(path);
}
