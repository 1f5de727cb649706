// This daemon's part in the owner registry: it serves it if nobody else does, and is a member of it otherwise.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { nodeRandomness } from '#crypto';
import { monotonicMs } from '#linux';
import {
  claimsOf,
  type OwnerIdentity,
  OwnerRegistry,
  ownerLineCharactersMax,
  type RegistryInput,
  readRegistryMessage,
  type SpiClaims,
  type SpiOwner,
  singleSpisMax,
  writeMemberMessage,
} from '#unknown-spi';
import { LineReader } from './line-reader.ts';
import { distrustOf } from './trusted-peer.ts';

/**
 * An abstract name: it belongs to a network namespace, as SPIs do, exactly one process has it, and the kernel takes it
 * away from a process that dies.
 */
export const ownerRegistryName = '\0wayward/spi-owners';

/** The registry as this daemon sees it. */
export interface OwnerLinkView {
  readonly owners: readonly SpiOwner[];
  /** Name of the daemon that serves it. */
  readonly server: string;
}

export interface OwnerLinkListener {
  changed(view: OwnerLinkView): void;
  /** The registry cannot be used for now. What was known stays. */
  problem(text: string): void;
}

const retryMsMin = 20;
const retryMsMax = 1_000;
const clientsMax = 128;
/** How long the end of this daemon waits for others to take notice. */
const stopMsMax = 500;

export class OwnerLink {
  readonly #name: string;
  readonly #blocksWanted: number;
  readonly #path: string;
  readonly #listener: OwnerLinkListener;
  readonly #clients = new Map<number, Socket>();
  #claims: SpiClaims;
  #view: OwnerLinkView | undefined;
  #server: Server | undefined;
  #registry: OwnerRegistry | undefined;
  #upstream: Socket | undefined;
  #nextClient = 1;
  #retryMs = retryMsMin;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(identity: OwnerIdentity, listener: OwnerLinkListener, path: string = ownerRegistryName) {
    this.#name = identity.name;
    this.#claims = identity.claims;
    this.#blocksWanted = identity.blocksWanted;
    this.#listener = listener;
    this.#path = path;
  }

  start(): void {
    if (this.#stopped) return;
    const server = createServer((socket) => this.#accept(socket));
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') this.#join();
      else this.#tryAgain(`the owner registry cannot be served: ${error.message}`);
    });
    server.listen(this.#path, () => {
      server.removeAllListeners('error');
      if (this.#stopped) server.close();
      else this.#serve(server);
    });
  }

  /** Holds these single SPIs besides its blocks. */
  holdSingly(spis: readonly number[]): void {
    this.#claims = claimsOf(this.#claims.blocks, spis.slice(0, singleSpisMax));
    if (this.#registry !== undefined) this.#give({ kind: 'hold', at: monotonicMs(), claims: this.#claims });
    else this.#say();
  }

  /** Ends in order: nothing of ours stays claimed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    if (this.#registry !== undefined) this.#give({ kind: 'leave', at: monotonicMs() });
    this.#registry = undefined;
    const server = this.#server;
    const upstream = this.#upstream;
    const sockets = [...this.#clients.values(), ...(upstream === undefined ? [] : [upstream])];
    // Whoever waits for this end is not left alone by an event loop that has nothing else to do.
    for (const socket of sockets) socket.ref();
    const hangUp = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, stopMsMax);
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of this.#clients.values()) socket.end();
    upstream?.end(`${writeMemberMessage({ kind: 'leave' })}\n`);
    await Promise.all(closed);
    clearTimeout(hangUp);
    server?.ref();
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #tryAgain(problem: string | undefined): void {
    if (this.#stopped) return;
    if (problem !== undefined) this.#listener.problem(problem);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), this.#retryMs);
    this.#timer.unref();
    this.#retryMs = Math.min(retryMsMax, this.#retryMs * 2);
  }

  // As member.

  #join(): void {
    const socket = connect(this.#path);
    let problem: string | undefined;
    let joined = false;
    socket.setEncoding('utf8');
    socket.unref();
    const reader = new LineReader(ownerLineCharactersMax, (line) => {
      const message = readRegistryMessage(line, monotonicMs());
      if (message?.kind === 'table') {
        joined = true;
        this.#retryMs = retryMsMin;
        this.#see({ owners: message.owners, server: message.server });
      } else {
        problem =
          message === undefined
            ? 'the owner registry speaks another language'
            : `the owner registry refuses ${this.#name}: ${message.reason}`;
        socket.destroy();
      }
    });
    socket.on('connect', () => {
      const distrust = distrustOf(socket);
      if (distrust !== undefined) {
        problem = `the owner registry is served by somebody else: ${distrust}`;
        socket.destroy();
        return;
      }
      this.#upstream = socket;
      this.#say();
    });
    socket.on('data', (text: string) => {
      if (reader.push(text)) return;
      problem = 'the owner registry sends a line without an end';
      socket.destroy();
    });
    // Whoever is gone by now leaves the name to the next: the end is told by `close`.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#upstream === socket) this.#upstream = undefined;
      if (joined && problem === undefined) this.start();
      else this.#tryAgain(problem);
    });
  }

  #say(): void {
    const { name, blocksWanted, claims } = { name: this.#name, ...this.#identity() };
    this.#upstream?.write(`${writeMemberMessage({ kind: 'hold', name, claims, blocksWanted })}\n`);
  }

  #identity(): { readonly claims: SpiClaims; readonly blocksWanted: number } {
    return { claims: this.#claims, blocksWanted: this.#blocksWanted };
  }

  #see(view: OwnerLinkView): void {
    this.#view = view;
    const own = view.owners.find(({ name }) => name === this.#name);
    if (own !== undefined) this.#claims = own.claims;
    this.#listener.changed(view);
  }

  // As server.

  #serve(server: Server): void {
    this.#server = server;
    server.unref();
    this.#retryMs = retryMsMin;
    this.#registry = new OwnerRegistry({
      self: { name: this.#name, ...this.#identity() },
      randomness: nodeRandomness(),
      at: monotonicMs(),
      inherited: this.#view?.owners ?? [],
    });
    this.#drain();
  }

  #accept(socket: Socket): void {
    const distrust = distrustOf(socket);
    if (distrust !== undefined || this.#clients.size >= clientsMax || this.#registry === undefined) {
      socket.on('error', () => undefined);
      socket.destroy();
      if (distrust !== undefined)
        this.#listener.problem(`a stranger was turned away from the owner registry: ${distrust}`);
      return;
    }
    const client = this.#nextClient++;
    this.#clients.set(client, socket);
    socket.setEncoding('utf8');
    socket.unref();
    const reader = new LineReader(ownerLineCharactersMax, (line) =>
      this.#give({ kind: 'line', at: monotonicMs(), client, line }),
    );
    socket.on('data', (text: string) => {
      if (!reader.push(text)) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#clients.delete(client);
      this.#give({ kind: 'closed', at: monotonicMs(), client });
    });
  }

  #give(input: RegistryInput): void {
    this.#registry?.handle(input);
    this.#drain();
  }

  #drain(): void {
    const registry = this.#registry;
    if (registry === undefined) return;
    for (let output = registry.poll(); output !== undefined; output = registry.poll()) {
      if (output.kind === 'send') this.#clients.get(output.client)?.write(`${output.line}\n`);
      else if (output.kind === 'drop') this.#clients.get(output.client)?.end();
      else this.#see({ owners: output.owners, server: this.#name });
    }
    clearTimeout(this.#timer);
    const deadline = registry.deadline();
    if (deadline === undefined) return;
    const delayMs = Math.max(0, Math.ceil(deadline - monotonicMs()));
    this.#timer = setTimeout(() => this.#give({ kind: 'timeout', at: monotonicMs() }), delayMs);
    this.#timer.unref();
  }
}
