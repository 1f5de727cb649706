// The control thread's handle on the packet thread.
import type { Worker } from 'node:worker_threads';
import type { DataPlaneEvent, Endpoint, SaCommand, SaResult } from '#sa';
import { takePacketWorker } from '../early/index.ts';
import { Wakeup } from '../epoll.ts';
import { ControlQueue } from './control-queue.ts';
import type {
  FromPacketThread,
  PacketThreadOptions,
  PacketThreadSetup,
  SaReport,
  ToPacketThread,
} from './messages.ts';
import { PatientQueue } from './patient-queue.ts';

/** The packet thread could not start: `code` is an errno name such as EADDRINUSE, EPERM or ENOENT. */
export class PacketThreadError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'PacketThreadError';
    this.code = code;
  }
}

/** What the packet thread reports. */
export interface PacketThreadListener {
  /** A datagram to one of our two UDP ports that is not ESP, as received. */
  datagram(local: Endpoint, remote: Endpoint, octets: Uint8Array): void;
  event(event: DataPlaneEvent): void;
  saResult(id: number, result: SaResult): void;
  /** @param heapBytes what the thread's JavaScript objects take */
  reports(reports: readonly SaReport[], verdicts: Readonly<Record<string, number>>, heapBytes: number): void;
  /** The thread died; nothing is received any more. */
  died(error: Error): void;
}

/** Sockets, TUN device and the userspace data plane, in a thread of their own. */
export class PacketThread {
  readonly #worker: Worker;
  readonly #wakeup: Wakeup;
  readonly #onExit = (): void => this.#wakeup.wake();
  readonly tunName: string | undefined;
  readonly #ended: Promise<void>;
  #closing: (() => void) | undefined;
  #wakeDue = false;

  private constructor(worker: Worker, wakeup: Wakeup, tunName: string | undefined) {
    this.#worker = worker;
    this.#wakeup = wakeup;
    this.tunName = tunName;
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    // A thread that waits in epoll_wait would hold up the end of the process.
    process.on('exit', this.#onExit);
  }

  /** @throws PacketThreadError if a port, the raw socket or the TUN device cannot be had */
  static async start(options: PacketThreadOptions, listener: PacketThreadListener): Promise<PacketThread> {
    const wakeup = new Wakeup();
    const controlQueue = new ControlQueue();
    const worker = takePacketWorker();
    const setup: PacketThreadSetup = { wakeFd: wakeup.fd, controlQueue: controlQueue.memory, options };
    worker.postMessage(setup);
    const tunName = await new Promise<string | undefined>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (message: FromPacketThread) => {
        if (message.kind === 'ready') resolve(message.tunName);
        else if (message.kind === 'failed') reject(new PacketThreadError(message.code, message.detail));
        else reject(new Error(`the packet thread began with ${message.kind}`));
      });
    });
    const thread = new PacketThread(worker, wakeup, tunName);
    worker.removeAllListeners('error');
    worker.on('error', (error) => listener.died(error as Error));
    worker.on('message', (message: FromPacketThread) => {
      const ofStranger =
        (message.kind === 'datagram' && !message.ofPeer) ||
        (message.kind === 'event' && message.event.kind === 'unknown-spi');
      if (ofStranger) {
        strangers.add(message);
        return;
      }
      if (message.kind === 'datagram') controlQueue.taken();
      thread.#take(message, listener);
    });
    const strangers = new PatientQueue<FromPacketThread>((message) => {
      controlQueue.taken();
      thread.#take(message, listener);
    });
    worker.once('exit', () => strangers.clear());
    return thread;
  }

  #take(message: FromPacketThread, listener: PacketThreadListener): void {
    switch (message.kind) {
      case 'datagram':
        listener.datagram(message.local, message.remote, message.octets);
        break;
      case 'event':
        listener.event(message.event);
        break;
      case 'sa-result':
        listener.saResult(message.id, message.result);
        break;
      case 'reports':
        listener.reports(message.reports, message.verdicts, message.heapBytes);
        break;
      case 'closed':
        this.#closing?.();
        break;
      case 'failed':
        listener.died(new PacketThreadError(message.code, message.detail));
        break;
      case 'ready':
        break;
    }
  }

  transmit(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    this.#post({ kind: 'transmit', local, remote, octets });
  }

  apply(id: number, command: SaCommand): void {
    this.#post({ kind: 'apply', id, command });
  }

  /** Ends the thread; everything posted before is carried out first. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#closing = resolve;
    });
    this.#post({ kind: 'close' });
    // A thread that died does not answer.
    await Promise.race([closed, this.#ended]);
    await this.#worker.terminate();
    process.off('exit', this.#onExit);
    this.#wakeup.close();
  }

  #post(message: ToPacketThread): void {
    this.#worker.postMessage(message);
    if (this.#wakeDue) return;
    this.#wakeDue = true;
    // Once for all that is said in one go: a wake-up costs as much as ten messages.
    queueMicrotask(() => {
      this.#wakeDue = false;
      this.#wakeup.wake();
    });
  }
}
