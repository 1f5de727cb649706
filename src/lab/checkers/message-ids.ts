// Message IDs (RFC 7296 2.1 to 2.3): in order, within the window, repeated octet for octet, and answered only when asked.
import { type PlainIkeHeader, plainIkeHeader } from '../describe-datagram.ts';
import type { LabEvent, Observer } from '../events.ts';
import type { Datagram } from '../network/datagram.ts';
import { InvariantViolation } from './invariant-violation.ts';

const name = 'message-ids';
const ikeSaInit = 34;

/** One message as it was first sent: its fragments, all at the same time. */
interface Sent {
  readonly at: number;
  readonly datagrams: Set<string>;
  answered: boolean;
}

interface Window {
  readonly requests: Map<number, Sent>;
  readonly responses: Map<number, Sent>;
  readonly asked: Set<number>;
}

export class MessageIds implements Observer {
  readonly #windowSizeMax: number;
  readonly #windows = new Map<string, Window>();
  #handling: { readonly host: string; readonly header: PlainIkeHeader } | undefined;

  /** @param windowSizeMax the largest window that any host announces */
  constructor(windowSizeMax: number) {
    this.#windowSizeMax = windowSizeMax;
  }

  observe(event: LabEvent): void {
    switch (event.kind) {
      case 'arriving':
        this.#arrive(event.host, event.datagram);
        return;
      case 'arrived':
        this.#handling = undefined;
        return;
      case 'sent': {
        const header = plainIkeHeader(event.datagram);
        if (header !== undefined) this.#send(event.at, event.host, header);
        return;
      }
      default:
        return;
    }
  }

  #arrive(host: string, datagram: Datagram): void {
    const header = plainIkeHeader(datagram);
    if (header === undefined) return;
    this.#handling = { host, header };
    if (datagram.origin === 'forged' || datagram.origin === 'corrupted') return;
    const window = this.#window(host, header);
    if (!header.response) window.asked.add(header.messageId);
    else {
      const request = window.requests.get(header.messageId);
      if (request !== undefined) request.answered = true;
    }
  }

  #send(at: number, host: string, header: PlainIkeHeader): void {
    const fail = (detail: string): never => {
      const what = `${header.response ? 'response' : 'request'} ${header.messageId}`;
      throw new InvariantViolation(name, at, `${host} ${detail}: ${what} of ${header.initiatorSpi}`);
    };
    const handling = this.#handling;
    const byResponse = handling?.host === host && handling.header.response && header.response;
    if (byResponse && !this.#isDue(at, host, header)) fail('answers a response');
    // RFC 7296 2.6: IKE_SA_INIT is changed and sent again under its Message ID; errors without an SA stand alone.
    if (header.exchangeType === ikeSaInit || !isProtected(header)) return;
    const window = this.#window(host, header);
    const table = header.response ? window.responses : window.requests;
    const text = latin1(header.octets);
    const known = table.get(header.messageId);
    if (known !== undefined) {
      if (known.at === at) known.datagrams.add(text);
      else if (!known.datagrams.has(text)) fail('changes a message that it sent before');
      return;
    }
    if (header.response) {
      if (!window.asked.has(header.messageId)) fail('answers what it was not asked');
    } else {
      const last = Math.max(-1, ...table.keys());
      if (last >= 0 && header.messageId !== last + 1) fail(`sends after Message ID ${last}`);
      if (last < 0 && header.messageId > 1) fail('begins with another Message ID than 0 or 1');
      const outstanding = [...table.values()].filter((one) => !one.answered).length;
      if (outstanding >= this.#windowSizeMax) fail(`has ${outstanding} requests outstanding already`);
    }
    table.set(header.messageId, { at, datagrams: new Set([text]), answered: false });
  }

  /** A request came that is not answered yet: it may have waited for just this response. */
  #isDue(at: number, host: string, header: PlainIkeHeader): boolean {
    if (!isProtected(header)) return false;
    const { asked, responses } = this.#window(host, header);
    // Its fragments are sent at one time.
    return asked.has(header.messageId) && (responses.get(header.messageId)?.at ?? at) === at;
  }

  #window(host: string, header: PlainIkeHeader): Window {
    // Also over a restart: whoever goes on with an IKE SA goes on with its Message IDs.
    const key = `${host} ${header.initiatorSpi} ${header.responderSpi}`;
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    const window = { requests: new Map(), responses: new Map(), asked: new Set<number>() };
    this.#windows.set(key, window);
    return window;
  }
}

const encrypted = 46;
const encryptedFragment = 53;

/** Whether the message has an SK or SKF payload and nothing before it. */
export function isProtected(header: PlainIkeHeader): boolean {
  return header.firstPayload === encrypted || header.firstPayload === encryptedFragment;
}

/** Where the IV of a protected message begins. */
export function ivOffset(header: PlainIkeHeader): number {
  return header.firstPayload === encrypted ? 32 : 36;
}

export function latin1(octets: Uint8Array): string {
  let text = '';
  for (const octet of octets) text += String.fromCharCode(octet);
  return text;
}
