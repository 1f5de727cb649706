// The daemon's end: requests with the token, and a stream of server-sent events that is picked up again when it breaks.
import type { ServerEvents, Why } from '../../src/control/api/index.ts';

export class TokenNeeded extends Error {}

const tokenKey = 'wayward-token';

/** The fragment never leaves the browser. It is taken out of the address, so that it is not copied along with it. */
export function tokenFromAddress(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token !== null) {
    sessionStorage.setItem(tokenKey, token);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(tokenKey) ?? undefined;
}

export function rememberToken(token: string): void {
  sessionStorage.setItem(tokenKey, token);
}

export class Server {
  readonly #token: string | undefined;

  constructor(token: string | undefined) {
    this.#token = token;
  }

  async #ask(path: string, options: RequestInit = {}): Promise<Response> {
    const headers = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
    const response = await fetch(`api/v1/${path}`, { ...options, headers, cache: 'no-store' });
    if (response.status === 401) throw new TokenNeeded();
    return response;
  }

  /** Kills a gateway of the demonstration. Returns why not, if it does not. */
  async crash(host: string): Promise<string | undefined> {
    const response = await this.#ask('crash', { method: 'POST', body: JSON.stringify({ host }) });
    return response.ok ? undefined : ((await response.json()) as { detail: string }).detail;
  }

  async why(host: string, subject: string): Promise<readonly string[]> {
    const response = await this.#ask(`why/${subject}?host=${encodeURIComponent(host)}`);
    const answer = (await response.json()) as Why | { detail: string };
    return 'lines' in answer ? answer.lines : [answer.detail];
  }

  /** Follows events until the stream breaks. @throws TokenNeeded, or whatever broke it */
  async follow(
    told: <Name extends keyof ServerEvents>(name: Name, data: ServerEvents[Name]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const response = await this.#ask('events', { signal });
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let pending = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      pending += value;
      for (let end = pending.indexOf('\n\n'); end >= 0; end = pending.indexOf('\n\n')) {
        const fields = new Map(
          pending
            .slice(0, end)
            .split('\n')
            .map((line) => line.split(/: ?(.*)/s, 2) as [string, string]),
        );
        pending = pending.slice(end + 2);
        const data = fields.get('data');
        if (data !== undefined) told(fields.get('event') as keyof ServerEvents, JSON.parse(data));
      }
    }
  }
}
