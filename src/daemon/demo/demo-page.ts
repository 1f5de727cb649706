// The page of the demonstration: what both gateways say of themselves, in one place that outlives each of them.
import { Board, whyText } from '#control';
import { askDaemon } from '../endpoints/control-client.ts';
import { HttpEndpoint } from '../endpoints/http-endpoint.ts';
import { newToken, openApiDocument, pageAssets, tokenCheck } from '../page.ts';
import type { Side } from './configuration.ts';
import { type GatewayMessage, gatewaySocketPath } from './gateway.ts';

export interface DemoPage {
  readonly board: Board;
  /** With its token. */
  readonly url: string;
  close(): Promise<void>;
}

/** @param port 0: any that is free @throws the system's error with its `code` */
export async function openDemoPage(
  folder: string,
  port: number,
  crash: (side: Side) => string | undefined,
): Promise<DemoPage> {
  const board = new Board({ demonstration: true, wallClock: Date.now });
  const token = newToken();
  const endpoint = await HttpEndpoint.open(
    { kind: 'loopback', address: '127.0.0.1', port },
    {
      board,
      isToken: tokenCheck(token),
      assets: pageAssets(),
      openApi: openApiDocument(),
      why: (host, subject) => whyOf(folder, host, subject),
      crash: (host) => (isSide(host) ? crash(host) : `${host} is no gateway: left or right`),
    },
  );
  return { board, url: `${endpoint.url}#token=${token}`, close: () => endpoint.close() };
}

function isSide(host: string): host is Side {
  return host === 'left' || host === 'right';
}

async function whyOf(
  folder: string,
  host: string,
  subject: number | 'last',
): Promise<readonly string[] | undefined> {
  if (!isSide(host)) return undefined;
  try {
    const answer = await askDaemon(gatewaySocketPath(folder, host), { kind: 'why', subject });
    return answer.kind === 'why' ? whyText(answer.answer) : undefined;
  } catch {
    // It has just crashed.
    return undefined;
  }
}

/** What a gateway says of itself, onto the board. */
export function onto(board: Board, message: GatewayMessage): void {
  switch (message.kind) {
    case 'snapshot':
      for (const host of message.data.hosts) board.host(host);
      break;
    case 'incident':
      board.incident(message.data);
      break;
    case 'unknown-spi':
      board.unknownSpi(message.data);
      break;
    default:
      break;
  }
}
