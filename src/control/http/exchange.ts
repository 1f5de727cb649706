// HTTP requests and answers as data: whoever has the sockets translates.
import type { Refusal, ServerEvents } from '../api/index.ts';
import { securityHeaders } from './headers.ts';

export interface HttpRequest {
  readonly method: string;
  /** With its query, as the request line has it. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** At most `bodyBytesMax` of it. */
  readonly body: string;
}

export const bodyBytesMax = 4_096;

export type HttpAnswer =
  | {
      readonly kind: 'content';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string | Uint8Array;
    }
  /** Server-sent events until the client goes away. */
  | {
      readonly kind: 'events';
      readonly headers: Readonly<Record<string, string>>;
      /** @param write one whole event @returns what ends it */
      readonly start: (write: (text: string) => void) => () => void;
    };

export function json(
  status: number,
  value: unknown,
  more: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return {
    kind: 'content',
    status,
    headers: {
      ...securityHeaders,
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      ...more,
    },
    body: JSON.stringify(value),
  };
}

const statuses: Readonly<Record<Refusal['code'], number>> = {
  unauthorized: 401,
  'forbidden-host': 403,
  'not-found': 404,
  method: 405,
  'bad-request': 400,
  refused: 409,
  busy: 503,
};

export function refuse(
  code: Refusal['code'],
  detail: string,
  more: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return json(statuses[code], { code, detail } satisfies Refusal, more);
}

/** One server-sent event. JSON has no line breaks of its own. */
export function eventText<Name extends keyof ServerEvents>(name: Name, data: ServerEvents[Name]): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
