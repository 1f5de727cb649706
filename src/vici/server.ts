// A server over any streams: one handler per command, events to whoever registered for them.
import type { Duplex } from 'node:stream';
import { type ViciMessage, viciPacketLengthMax, WireError } from '#wire';
import { ViciError } from './error.ts';
import { ViciServerConnection } from './server-connection.ts';

/** What a handler knows of the connection it answers. */
export interface ViciCall {
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Sends an event to this client alone, if it registered for it; waits while the client does not read. */
  send(event: string, message: ViciMessage): Promise<void>;
}

/** Returns the response. A `ViciError` that it throws is answered with `success = no` and its message as `errmsg`. */
export type ViciHandler = (request: ViciMessage, call: ViciCall) => ViciMessage | Promise<ViciMessage>;

export interface ViciServerOptions {
  readonly commands: ReadonlyMap<string, ViciHandler>;
  /** Names of all events, those of streaming commands too. */
  readonly events: readonly string[];
  /** Connections at one time; further ones are closed at once. */
  readonly connectionsMax?: number;
  /**
   * A handler threw something that is no `ViciError`: a mistake in it. The client is told only that. Or an event fits no
   * packet, and is left out.
   */
  readonly onMistake?: (commandOrEvent: string, error: unknown) => void;
  /** A client registered for an event: what is told of is worth preparing from now on. */
  readonly onRegister?: (event: string) => void;
  /** A client broke the protocol, or was too slow, and was disconnected. */
  readonly onDisconnect?: (detail: string) => void;
}

const connectionsMaxDefault = 64;
/** Octets of requests that may wait behind a command: enough for the next one to be there in whole. */
const waitingMax = 2 * viciPacketLengthMax;
/** Octets of events that may wait for a client that does not read them. */
const unreadMax = 8 * viciPacketLengthMax;

interface Client {
  readonly stream: Duplex;
  readonly connection: ViciServerConnection;
  readonly gone: AbortController;
}

/** Serves vici over any streams, `listenVici` those of a Unix socket. */
export class ViciServer {
  readonly #options: ViciServerOptions;
  readonly #events: ReadonlySet<string>;
  readonly #clients = new Set<Client>();

  constructor(options: ViciServerOptions) {
    this.#options = options;
    this.#events = new Set(options.events);
  }

  /** Serves a client until either end closes the stream. Clients do not wait for one another. */
  serve(stream: Duplex): void {
    stream.on('error', () => stream.destroy());
    if (this.#clients.size >= (this.#options.connectionsMax ?? connectionsMaxDefault)) {
      this.#options.onDisconnect?.('too many connections');
      stream.destroy();
      return;
    }
    const connection = new ViciServerConnection({
      hasCommand: (name) => this.#options.commands.has(name),
      hasEvent: (name) => this.#events.has(name),
      registered: (name) => this.#options.onRegister?.(name),
    });
    const client: Client = { stream, connection, gone: new AbortController() };
    this.#clients.add(client);
    stream.on('close', () => {
      this.#clients.delete(client);
      client.gone.abort();
    });
    stream.on('drain', () => pace(client));
    stream.on('data', (octets: Uint8Array) => {
      connection.receive(octets);
      this.#drain(client);
      pace(client);
    });
  }

  /** Whether any client registered for an event: if not, there is no need to make it. */
  isAwaited(event: string): boolean {
    for (const { connection } of this.#clients) if (connection.isRegistered(event)) return true;
    return false;
  }

  /** Sends an event to every client that registered for it. */
  raise(event: string, message: ViciMessage): void {
    for (const client of this.#clients) {
      if (!this.#tell(client, event, message)) continue;
      this.#drain(client);
      if (client.stream.writableLength > unreadMax) this.#disconnect(client, 'events are not read');
    }
  }

  /** Disconnects everybody. */
  close(): void {
    for (const { stream } of this.#clients) stream.destroy();
  }

  #disconnect(client: Client, detail: string): void {
    this.#clients.delete(client);
    this.#options.onDisconnect?.(detail);
    client.stream.destroy();
  }

  #drain(client: Client): void {
    for (let output = client.connection.poll(); output !== undefined; output = client.connection.poll()) {
      switch (output.kind) {
        case 'transmit':
          client.stream.write(output.octets);
          break;
        case 'command':
          void this.#run(client, output.name, output.message);
          break;
        case 'broken':
          this.#disconnect(client, output.detail);
          return;
      }
    }
  }

  async #run(client: Client, name: string, request: ViciMessage): Promise<void> {
    const { connection, stream, gone } = client;
    let response: ViciMessage;
    try {
      const handler = this.#options.commands.get(name)!;
      response = await handler(request, {
        signal: gone.signal,
        send: (event, message) => this.#send(client, event, message),
      });
    } catch (error) {
      response = this.#refusal(name, error);
    }
    if (stream.destroyed) return;
    try {
      connection.respond(response);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      connection.respond(this.#refusal(name, error));
    }
    this.#drain(client);
    pace(client);
  }

  #refusal(command: string, error: unknown): ViciMessage {
    if (error instanceof ViciError) return { success: 'no', errmsg: error.message };
    this.#options.onMistake?.(command, error);
    return { success: 'no', errmsg: `internal error in ${command}` };
  }

  /** False if the client does not hear of it. Whoever tells of many things goes on with the next. */
  #tell({ connection }: Client, event: string, message: ViciMessage): boolean {
    try {
      return connection.send(event, message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#options.onMistake?.(event, error);
      return false;
    }
  }

  async #send(client: Client, event: string, message: ViciMessage): Promise<void> {
    const { stream, gone } = client;
    if (stream.destroyed || !this.#tell(client, event, message)) return;
    this.#drain(client);
    if (!stream.writableNeedDrain || gone.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off('drain', done);
        gone.signal.removeEventListener('abort', done);
        resolve();
      };
      stream.on('drain', done);
      gone.signal.addEventListener('abort', done);
    });
  }
}

/** Reads no more from a client that has many requests waiting, or does not read what it is told. */
function pace({ stream, connection }: Client): void {
  if (connection.waiting > waitingMax || stream.writableNeedDrain) stream.pause();
  else stream.resume();
}
