// A client over any stream: requests as promises, streaming commands and events as async iterators.
import type { Duplex } from 'node:stream';
import { type ViciMessage, viciText } from '#wire';
import { type ClientOutput, type ClientRequest, ViciClientConnection } from './client-connection.ts';
import { ViciError } from './error.ts';
import { EventQueue } from './event-queue.ts';
import { streamedEvents, type ViciEvents, type ViciRequests, type ViciStreams } from './messages.ts';

/** An event, and its name where several are read at once. */
export type ViciEventOf<K extends keyof ViciEvents> = {
  readonly [N in K]: { readonly name: N; readonly message: ViciEvents[N] };
}[K];

interface Pending {
  done(message: ViciMessage): void;
  failed(error: ViciError): void;
  streamed?(message: ViciMessage): void;
}

type Subscription = EventQueue<{ readonly name: string; readonly message: ViciMessage }>;
type Unidentified<T> = T extends { readonly id: number } ? Omit<T, 'id'> : never;

/** One connection to a daemon. Requests made while another one runs wait for it. */
export class ViciClient {
  readonly #stream: Duplex;
  readonly #connection = new ViciClientConnection();
  readonly #pending = new Map<number, Pending>();
  readonly #subscriptions = new Map<string, Set<Subscription>>();
  #nextId = 1;
  #closed: ViciError | undefined;

  /** @param stream connected, or on its way to be */
  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', (octets: Uint8Array) => {
      this.#connection.receive(octets);
      this.#drain();
    });
    stream.on('error', (error) => this.#end(new ViciError('closed', error.message, { cause: error })));
    stream.on('close', () => this.#end(new ViciError('closed', 'the connection was closed')));
  }

  /**
   * Asks for something that is answered at once.
   *
   * @throws ViciError; WireError if the message does not fit a vici packet
   */
  async request<K extends keyof ViciRequests>(
    name: K,
    message?: ViciRequests[K]['request'],
  ): Promise<ViciRequests[K]['response']>;
  async request(name: string, message?: ViciMessage): Promise<ViciMessage>;
  async request(name: string, message: ViciMessage = {}): Promise<ViciMessage> {
    return this.#submit({ kind: 'command', name, message });
  }

  /**
   * Runs a command that sends events: read them with `for await`. The command goes on if the loop is left. The iterator's
   * return value is the response; a failure is thrown once the events before it are read.
   *
   * @throws ViciError while iterating; WireError if the message does not fit a vici packet
   */
  stream<K extends keyof ViciStreams>(
    name: K,
    message?: ViciStreams[K]['request'],
  ): AsyncIterableIterator<ViciStreams[K]['event'], ViciStreams[K]['response']>;
  stream(name: string, message: ViciMessage, event: string): AsyncIterableIterator<ViciMessage, ViciMessage>;
  stream(
    name: string,
    message: ViciMessage = {},
    event: string | undefined = streamedEvents[name as keyof ViciStreams],
  ): AsyncIterableIterator<ViciMessage, ViciMessage> {
    const queue = new EventQueue<ViciMessage, ViciMessage>(() => undefined);
    const response = this.#submit({ kind: 'command', name, message, stream: event }, (item) =>
      queue.push(item),
    );
    response.then(
      (value) => queue.finish(value),
      (error: Error) => queue.fail(error),
    );
    return queue;
  }

  /**
   * Registers for events and returns once every one of them is confirmed: from then on none is missed. Leaving the loop
   * ends the registration.
   *
   * @throws ViciError
   */
  async events<K extends keyof ViciEvents>(
    ...names: readonly K[]
  ): Promise<AsyncIterableIterator<ViciEventOf<K>>> {
    const queue: Subscription = new EventQueue(() => this.#unsubscribe(names, queue));
    const taken: string[] = [];
    try {
      for (const name of names) {
        const known = this.#subscriptions.get(name);
        taken.push(name);
        if (known !== undefined) known.add(queue);
        else {
          this.#subscriptions.set(name, new Set([queue]));
          await this.#submit({ kind: 'register', event: name });
        }
      }
    } catch (error) {
      for (const name of taken) this.#drop(name, queue);
      throw error;
    }
    return queue as unknown as AsyncIterableIterator<ViciEventOf<K>>;
  }

  /** Ends the connection; what waits for an answer fails with the code `closed`. */
  close(): void {
    this.#end(new ViciError('closed', 'the connection was closed'));
  }

  async #unsubscribe(names: readonly string[], queue: Subscription): Promise<void> {
    for (const name of names) {
      if (!this.#drop(name, queue) || this.#closed !== undefined) continue;
      await this.#submit({ kind: 'unregister', event: name }).catch(() => undefined);
    }
  }

  /** Says whether nobody reads these events any more. */
  #drop(name: string, queue: Subscription): boolean {
    const readers = this.#subscriptions.get(name);
    if (readers?.delete(queue) !== true || readers.size > 0) return false;
    this.#subscriptions.delete(name);
    return true;
  }

  #submit(
    request: Unidentified<ClientRequest>,
    streamed?: (message: ViciMessage) => void,
  ): Promise<ViciMessage> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#connection.request({ ...request, id });
      this.#pending.set(id, {
        done: resolve,
        failed: reject,
        ...(streamed === undefined ? {} : { streamed }),
      });
      this.#drain();
    });
  }

  #drain(): void {
    for (let output = this.#connection.poll(); output !== undefined; output = this.#connection.poll())
      this.#carryOut(output);
  }

  #carryOut(output: ClientOutput): void {
    switch (output.kind) {
      case 'transmit':
        this.#stream.write(output.octets);
        break;
      case 'streamed':
        this.#pending.get(output.id)?.streamed?.(output.message);
        break;
      case 'response':
        this.#settle(output.id, (pending) => {
          if (viciText(output.message, 'success') !== 'no') pending.done(output.message);
          else
            pending.failed(new ViciError('failed', viciText(output.message, 'errmsg') ?? 'no reason given'));
        });
        break;
      case 'confirmed':
        this.#settle(output.id, (pending) => pending.done({}));
        break;
      case 'unknown':
        this.#settle(output.id, (pending) =>
          pending.failed(new ViciError(`unknown-${output.what}`, `the daemon has no such ${output.what}`)),
        );
        break;
      case 'event':
        for (const queue of this.#subscriptions.get(output.name) ?? [])
          queue.push({ name: output.name, message: output.message });
        break;
      case 'broken':
        this.#end(new ViciError('protocol', output.detail));
        break;
    }
  }

  #settle(id: number, settle: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending !== undefined) settle(pending);
  }

  #end(error: ViciError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#stream.destroy();
    for (const pending of this.#pending.values()) pending.failed(error);
    this.#pending.clear();
    for (const readers of this.#subscriptions.values()) for (const queue of readers) queue.fail(error);
    this.#subscriptions.clear();
  }
}
