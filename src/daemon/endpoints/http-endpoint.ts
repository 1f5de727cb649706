// The sockets of the page, the API and the metrics: loopback or a Unix socket, nothing else.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpListen } from '#config';
import { bodyBytesMax, HttpService, type HttpServiceOptions } from '#control';
import { listenPrivately, removeFile } from './private-socket.ts';

/** A client that does not read is let go before it costs more than this. */
const unreadBytesMax = 4 * 1_048_576;
const requestMsMax = 10_000;
const connectionsMax = 64;

export class HttpEndpoint {
  readonly #server: Server;
  readonly #listen: HttpListen;
  readonly #streams = new Set<() => void>();
  #service: HttpService | undefined;

  private constructor(listen: HttpListen) {
    this.#listen = listen;
    this.#server = createServer(
      { requestTimeout: requestMsMax, headersTimeout: requestMsMax, maxHeaderSize: 8_192 },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = connectionsMax;
  }

  /** @throws ControlSocketError, or the system's error with its `code` */
  static async open(listen: HttpListen, options: Omit<HttpServiceOptions, 'hosts'>): Promise<HttpEndpoint> {
    const endpoint = new HttpEndpoint(listen);
    if (listen.kind === 'path') await listenPrivately(endpoint.#server, listen.path, 'http socket');
    else await endpoint.#listenOnLoopback(listen.address, listen.port);
    endpoint.#service = new HttpService(
      listen.kind === 'path' ? options : { ...options, hosts: endpoint.#names() },
    );
    return endpoint;
  }

  #listenOnLoopback(address: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: address, port }, resolve);
    });
  }

  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === 'object' ? (address as AddressInfo | null)?.port : undefined;
  }

  /** Where a browser finds the page; absent on a Unix socket. */
  get url(): string | undefined {
    if (this.#listen.kind === 'path') return undefined;
    const name = this.#listen.address === '::1' ? '[::1]' : this.#listen.address;
    return `http://${name}:${this.port}/`;
  }

  /** Other names for our address are another site's (DNS rebinding). */
  #names(): ReadonlySet<string> {
    return new Set(['127.0.0.1', '[::1]', 'localhost'].map((name) => `${name}:${this.port}`));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy());
    const body = await readBody(request);
    if (body === undefined || this.#service === undefined) {
      request.destroy();
      return;
    }
    const { method = '', url = '' } = request;
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
    );
    const answer = await this.#service.answer({ method, target: url, headers, body });
    if (answer.kind === 'content') {
      const octets = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
      response.writeHead(answer.status, { ...answer.headers, 'content-length': octets.length });
      response.end(method === 'HEAD' ? undefined : octets);
      return;
    }
    // Its client is gone, or it waits behind an answer before it: nobody would say when such a stream ends.
    if (response.socket === null) {
      request.destroy();
      return;
    }
    response.writeHead(200, answer.headers);
    if (method === 'HEAD') {
      response.end();
      return;
    }
    const end = answer.start((text) => {
      if (response.writableLength > unreadBytesMax) response.destroy();
      else response.write(text);
    });
    const close = (): void => void response.end();
    this.#streams.add(close);
    response.on('close', () => {
      this.#streams.delete(close);
      end();
    });
  }

  async close(): Promise<void> {
    for (const end of this.#streams) end();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    if (this.#listen.kind === 'path') removeFile(this.#listen.path);
  }
}

/** `undefined` if it is too long, or does not come. */
function readBody(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
      if (body.length > bodyBytesMax) resolve(undefined);
    });
    request.on('end', () => resolve(body));
    request.on('error', () => resolve(undefined));
  });
}
