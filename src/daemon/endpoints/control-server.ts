// The daemon's end of the control socket. Only its owner may open it.
import { createServer, type Server, type Socket } from 'node:net';
import { type ControlAnswer, type ControlRequest, parseControlRequest } from './control-protocol.ts';
import { listenPrivately, removeFile } from './private-socket.ts';

const lineBytesMax = 4_096;
const clientsMax = 64;
export class ControlServer {
  readonly #server: Server;
  readonly #path: string;
  readonly #clients = new Set<Socket>();

  private constructor(path: string, answer: (request: ControlRequest) => Promise<ControlAnswer>) {
    this.#path = path;
    this.#server = createServer((client) => void this.#serve(client, answer));
  }

  /** @throws ControlSocketError */
  static async listen(
    path: string,
    answer: (request: ControlRequest) => Promise<ControlAnswer>,
  ): Promise<ControlServer> {
    const control = new ControlServer(path, answer);
    await listenPrivately(control.#server, path, 'control socket');
    return control;
  }

  async #serve(client: Socket, answer: (request: ControlRequest) => Promise<ControlAnswer>): Promise<void> {
    client.on('error', () => client.destroy());
    if (this.#clients.size >= clientsMax) {
      client.destroy();
      return;
    }
    this.#clients.add(client);
    const gone = new Promise<void>((resolve) => client.once('close', resolve));
    client.setEncoding('utf8');
    let pending = '';
    try {
      // No more is read while there is something to answer, or while the client does not read its answers.
      for await (const chunk of client) {
        pending += chunk;
        for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
          const request = parseControlRequest(pending.slice(0, end));
          pending = pending.slice(end + 1);
          const reply: ControlAnswer =
            typeof request === 'string' ? { kind: 'refused', detail: request } : await answer(request);
          if (!client.write(`${JSON.stringify(reply)}\n`)) {
            await Promise.race([new Promise<void>((resolve) => client.once('drain', resolve)), gone]);
          }
        }
        if (pending.length > lineBytesMax) client.destroy();
      }
    } catch (error) {
      if (!client.destroyed) throw error;
    } finally {
      this.#clients.delete(client);
    }
  }

  async close(): Promise<void> {
    for (const client of this.#clients) {
      // Nobody is waited for: neither for who does not read, nor for who does not hang up.
      if (client.writableLength > 0) client.destroy();
      else client.destroySoon();
    }
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    removeFile(this.#path);
  }
}
