// The daemon's end of the control socket. Only its owner may open it.
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { type ControlAnswer, type ControlRequest, parseControlRequest } from './control-protocol.ts';

const lineBytesMax = 4_096;
const clientsMax = 64;
/** sockaddr_un: a longer path would be cut without a word. */
const pathBytesMax = 107;

/** Somebody else serves the socket, or its path cannot be used. */
export class ControlSocketError extends Error {
  readonly code = 'control-socket' as const;
}

export class ControlServer {
  readonly #server: Server;
  readonly #path: string;
  readonly #clients = new Set<Socket>();

  private constructor(path: string, answer: (request: ControlRequest) => Promise<ControlAnswer>) {
    this.#path = path;
    this.#server = createServer((client) => this.#serve(client, answer));
  }

  /** @throws ControlSocketError */
  static async listen(
    path: string,
    answer: (request: ControlRequest) => Promise<ControlAnswer>,
  ): Promise<ControlServer> {
    if (Buffer.byteLength(path) > pathBytesMax)
      throw new ControlSocketError(`control socket ${path}: the path is longer than ${pathBytesMax} octets`);
    // The system would report this as a lack of permission.
    if (!existsSync(dirname(path)))
      throw new ControlSocketError(`control socket ${path}: there is no folder ${dirname(path)}`);
    await removeStale(path);
    const control = new ControlServer(path, answer);
    // The socket must never be open to others, not even between its creation and a chmod.
    const mask = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        control.#server.once('error', (error) =>
          reject(new ControlSocketError(`control socket ${path} cannot be opened: ${error.message}`)),
        );
        control.#server.listen(path, resolve);
      });
    } finally {
      process.umask(mask);
    }
    chmodSync(path, 0o600);
    return control;
  }

  #serve(client: Socket, answer: (request: ControlRequest) => Promise<ControlAnswer>): void {
    if (this.#clients.size >= clientsMax) {
      client.destroy();
      return;
    }
    this.#clients.add(client);
    client.on('close', () => this.#clients.delete(client));
    client.on('error', () => client.destroy());
    client.setEncoding('utf8');
    let pending = '';
    let turn: Promise<void> = Promise.resolve();
    client.on('data', (chunk: string) => {
      pending += chunk;
      for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
        const line = pending.slice(0, end);
        pending = pending.slice(end + 1);
        turn = turn.then(async () => {
          const request = parseControlRequest(line);
          const reply: ControlAnswer =
            typeof request === 'string' ? { kind: 'refused', detail: request } : await answer(request);
          client.write(`${JSON.stringify(reply)}\n`);
        });
      }
      if (pending.length > lineBytesMax) client.destroy();
    });
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.end();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    removeFile(this.#path);
  }
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
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(false));
  });
  if (alive) throw new ControlSocketError(`another daemon serves ${path}`);
  removeFile(path);
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone already.
  }
}
