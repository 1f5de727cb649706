// The HTTP side of a host: the page, the API that it reads, and metrics. Requests in, answers out; sockets are elsewhere.
import type { Refusal, Why } from '../api/index.ts';
import type { Board } from '../observe/board.ts';
import { eventText, type HttpAnswer, type HttpRequest, json, refuse } from './exchange.ts';
import { securityHeaders } from './headers.ts';

/** A file of the page. */
export interface Asset {
  readonly type: string;
  readonly body: Uint8Array;
  /** Its name changes with its content. */
  readonly immutable: boolean;
}

export interface HttpServiceOptions {
  readonly board: Board;
  /** Absent: whoever reaches the socket may ask, as on a Unix socket that only its owner can open. */
  readonly isToken?: (offered: string) => boolean;
  /** Values of the Host header that name this server; absent: any. Others are another site's name for our address. */
  readonly hosts?: ReadonlySet<string>;
  /** By path; `/` is the page itself. */
  readonly assets: ReadonlyMap<string, Asset>;
  readonly openApi: string;
  /** Lines of `wayward why`. @param host as the snapshot names it */
  readonly why: (host: string, subject: number | 'last') => Promise<readonly string[] | undefined>;
  readonly metrics?: () => Promise<{ readonly type: string; readonly text: string }>;
  /** Kills a gateway of a demonstration; a text says why not. */
  readonly crash?: (host: string) => string | undefined;
}

type Handler = (request: HttpRequest, url: URL) => HttpAnswer | Promise<HttpAnswer>;

/** Streams at a time: each costs memory for what its client has not read. */
const streamsMax = 16;

/** The page, its API and the metrics: requests to answers and events, without a socket. */
export class HttpService {
  readonly #options: HttpServiceOptions;
  #streams = 0;

  constructor(options: HttpServiceOptions) {
    this.#options = options;
  }

  async answer(request: HttpRequest): Promise<HttpAnswer> {
    const { hosts, assets } = this.#options;
    if (hosts !== undefined && !hosts.has((request.headers['host'] ?? '').toLowerCase()))
      return refuse('forbidden-host', 'this server has no such name');
    if (!URL.canParse(request.target, 'http://localhost')) return refuse('bad-request', 'no such path');
    const url = new URL(request.target, 'http://localhost');
    const asset = assets.get(url.pathname);
    if (asset !== undefined) return readOnly(request, () => content(asset));
    const handler = this.#handlerFor(url.pathname);
    if (handler === undefined) return refuse('not-found', `there is no ${url.pathname}`);
    if (!this.#mayAsk(request)) {
      const challenge = { 'www-authenticate': 'Bearer realm="wayward"' };
      return refuse('unauthorized', 'a token is needed: wayward page tells it', challenge);
    }
    return handler(request, url);
  }

  #mayAsk({ headers }: HttpRequest): boolean {
    const { isToken } = this.#options;
    if (isToken === undefined) return true;
    const offered = /^Bearer ([\x21-\x7e]+)$/i.exec(headers['authorization'] ?? '')?.[1];
    return offered !== undefined && isToken(offered);
  }

  #handlerFor(path: string): Handler | undefined {
    const { board, openApi, metrics } = this.#options;
    switch (path) {
      case '/api/v1/snapshot':
        return (request) => readOnly(request, () => json(200, board.snapshot()));
      case '/api/v1/incidents':
        return (request) => readOnly(request, () => json(200, board.incidents()));
      case '/api/v1/unknown-spis':
        return (request) => readOnly(request, () => json(200, board.unknownSpis()));
      case '/api/v1/events':
        return (request) => readOnly(request, () => this.#events());
      case '/api/v1/crash':
        return (request) => this.#crash(request);
      case '/api/v1/openapi.json':
        return (request) => readOnly(request, () => json(200, JSON.parse(openApi)));
      case '/metrics':
        return metrics === undefined
          ? undefined
          : (request) =>
              readOnly(request, async () => {
                const { type, text } = await metrics();
                return {
                  kind: 'content',
                  status: 200,
                  headers: { ...securityHeaders, 'cache-control': 'no-store', 'content-type': type },
                  body: text,
                };
              });
      default:
        return this.#subjectHandler(path);
    }
  }

  #subjectHandler(path: string): Handler | undefined {
    const incident = /^\/api\/v1\/incidents\/([\w-]{1,64})$/.exec(path)?.[1];
    if (incident !== undefined) {
      return (request) =>
        readOnly(request, () => {
          const found = this.#options.board.incidentById(incident);
          return found === undefined ? refuse('not-found', `no incident ${incident}`) : json(200, found);
        });
    }
    const subject = /^\/api\/v1\/why\/(last|[0-9a-f]{1,8})$/i.exec(path)?.[1];
    if (subject === undefined) return undefined;
    return (request, url) => readOnly(request, () => this.#why(url.searchParams.get('host') ?? '', subject));
  }

  async #why(host: string, subject: string): Promise<HttpAnswer> {
    const about = subject === 'last' ? subject : Number.parseInt(subject, 16);
    const lines = await this.#options.why(host, about);
    return lines === undefined
      ? refuse('not-found', `no host ${host} answers`)
      : json(200, { host, lines } satisfies Why);
  }

  #crash(request: HttpRequest): HttpAnswer {
    const { crash } = this.#options;
    if (request.method !== 'POST') return wrongMethod('POST');
    if (crash === undefined) return refuse('refused', 'only a demonstration crashes when it is asked to');
    const host = hostOf(request.body);
    if (host === undefined) return refuse('bad-request', 'the body is {"host": NAME}');
    const refusal = crash(host);
    return refusal === undefined ? json(202, { host }) : refuse('refused', refusal);
  }

  #events(): HttpAnswer {
    if (this.#streams >= streamsMax) return refuse('busy', `${streamsMax} streams are open already`);
    const { board } = this.#options;
    return {
      kind: 'events',
      headers: {
        ...securityHeaders,
        'cache-control': 'no-store',
        'content-type': 'text/event-stream; charset=utf-8',
      },
      start: (write) => {
        this.#streams++;
        write(eventText('snapshot', board.snapshot()));
        for (const incident of board.incidents().toReversed()) write(eventText('incident', incident));
        for (const row of board.unknownSpis().toReversed()) write(eventText('unknown-spi', row));
        const unfollow = board.follow({ told: (name, data) => write(eventText(name, data)) });
        let ended = false;
        return () => {
          if (ended) return;
          ended = true;
          this.#streams--;
          unfollow();
        };
      },
    };
  }
}

function readOnly(
  { method }: HttpRequest,
  answer: () => HttpAnswer | Promise<HttpAnswer>,
): HttpAnswer | Promise<HttpAnswer> {
  return method === 'GET' || method === 'HEAD' ? answer() : wrongMethod('GET, HEAD');
}

function wrongMethod(allow: string): HttpAnswer {
  return refuse('method' satisfies Refusal['code'], `only ${allow}`, { allow });
}

function content({ type, body, immutable }: Asset): HttpAnswer {
  const cache = immutable ? 'public, max-age=31536000, immutable' : 'no-cache';
  return {
    kind: 'content',
    status: 200,
    headers: { ...securityHeaders, 'cache-control': cache, 'content-type': type },
    body,
  };
}

function hostOf(body: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('host' in value)) return undefined;
  return typeof value.host === 'string' && value.host.length <= 64 ? value.host : undefined;
}
