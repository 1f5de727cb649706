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
    this.#server = createServer((client) => this.#serve(client, answer));
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
