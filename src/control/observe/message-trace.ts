// IKE messages as the wire shows them: the header, and the payloads where they stand in the clear.
import type { Endpoint } from '#sa';
import {
  decodeIkeMessage,
  ExchangeType,
  exchangeTypeName,
  type IkeSpi,
  ikeMessageSummary,
  PayloadType,
  type ReceivedIkeHeader,
  WireError,
} from '#wire';
import type { IkeMessageSeen } from './ike-message-seen.ts';

export interface TracedMessage {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly direction: 'in' | 'out';
  readonly remote: Endpoint;
  readonly initiatorSpi: IkeSpi;
  readonly response: boolean;
  /** A request for a new IKE SA. */
  readonly begins: boolean;
  /** The same for a request and its answer. */
  readonly exchange: string;
  /** For people. */
  readonly title: string;
  readonly lengthBytes: number;
}

/** Messages remembered, for what led to an incident. */
const tracedMax = 256;
const connectionsMax = 4_096;
/** An IKE SA that takes longer to make did not lead to what happens now. */
const makingMsMax = 10_000;

/** A message that crossed a port. Few lead to an incident: what is for people is put into words when it is asked for. */
export class SeenMessage implements TracedMessage {
  readonly at: number;
  readonly direction: 'in' | 'out';
  readonly remote: Endpoint;
  readonly #seen: IkeMessageSeen;

  constructor(at: number, direction: 'in' | 'out', remote: Endpoint, seen: IkeMessageSeen) {
    this.at = at;
    this.direction = direction;
    this.remote = remote;
    this.#seen = seen;
  }

  get initiatorSpi(): IkeSpi {
    return this.#seen.header.initiatorSpi;
  }

  get response(): boolean {
    return this.#seen.header.response;
  }

  get begins(): boolean {
    return this.#opens && !this.response;
  }

  get exchange(): string {
    const { responderSpi, messageId, exchangeType } = this.#seen.header;
    // Both ends number their requests from the same number on.
    const asker = this.response === (this.direction === 'in') ? 'us' : 'peer';
    // The responder's SPI is not known yet in the first request.
    return `${this.initiatorSpi} ${this.#opens ? '' : responderSpi} ${messageId} ${exchangeType} ${asker}`;
  }

  get title(): string {
    return titleOf(this.#seen.header, this.#seen.octets);
  }

  get lengthBytes(): number {
    return this.#seen.octets.length;
  }

  /** Of the exchange that makes an IKE SA. */
  get #opens(): boolean {
    const { exchangeType } = this.#seen.header;
    return exchangeType === ExchangeType.IKE_SA_INIT || exchangeType === ExchangeType.IKE_SESSION_RESUME;
  }
}

function titleOf(header: ReceivedIkeHeader, message: Uint8Array): string {
  const { exchangeType, response, messageId, nextPayload } = header;
  const words = `${exchangeTypeName(exchangeType)} ${response ? 'response' : 'request'} ${messageId}`;
  if (nextPayload === PayloadType.SK || nextPayload === PayloadType.SKF) return `${words} [ SK ]`;
  try {
    return ikeMessageSummary(decodeIkeMessage(message));
  } catch (error) {
    if (error instanceof WireError) return words;
    throw error;
  }
}

/** The last messages of a host, and which connection they belong to, as far as that is known. */
export class MessageTrace {
  readonly #messages: TracedMessage[] = [];
  readonly #connections = new Map<IkeSpi, string>();
  /** Of the last event: most events are about the same IKE SA as the one before. */
  #assigned: { readonly initiatorSpi: IkeSpi; readonly connection: string } | undefined;

  add(message: TracedMessage): void {
    this.#messages.push(message);
    // The older half goes at once: moving all others for each one costs more than keeping some that nobody looks at.
    if (this.#messages.length === 2 * tracedMax) this.#messages.splice(0, tracedMax);
  }

  get #latest(): readonly TracedMessage[] {
    return this.#messages.slice(-tracedMax);
  }

  assign(initiatorSpi: IkeSpi, connection: string): void {
    const last = this.#assigned;
    if (last?.initiatorSpi === initiatorSpi && last.connection === connection) return;
    this.#assigned = { initiatorSpi, connection };
    this.#connections.delete(initiatorSpi);
    this.#connections.set(initiatorSpi, connection);
    if (this.#connections.size <= connectionsMax) return;
    for (const oldest of this.#connections.keys()) {
      this.#connections.delete(oldest);
      break;
    }
  }

  /** Whether a message may be about this connection: nothing says that it is another's. */
  fits(message: TracedMessage, connection: string, remote: Endpoint | undefined): boolean {
    const known = this.#connections.get(message.initiatorSpi);
    if (known !== undefined && known !== connection) return false;
    return remote === undefined ? known === connection : message.remote.address === remote.address;
  }

  /**
   * Those since a time, and what came before them of IKE SAs that were only just being made.
   * @param at now
   */
  leadingTo(at: number, since: number): readonly TracedMessage[] {
    const messages = this.#latest;
    const recent = new Set(
      messages.filter((message) => message.at >= since).map(({ initiatorSpi }) => initiatorSpi),
    );
    const young = new Set(
      messages
        .filter((message) => message.begins && message.at >= at - makingMsMax)
        .map(({ initiatorSpi }) => initiatorSpi)
        .filter((spi) => recent.has(spi)),
    );
    return messages.filter((message) => message.at >= since || young.has(message.initiatorSpi));
  }
}
