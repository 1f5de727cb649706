// The control thread's handle on the packet thread, and on the one that takes its place if it dies.
import type { Worker } from 'node:worker_threads';
import type { DataPlaneEvent, Endpoint, SaCommand, SaResult } from '#sa';
import { monotonicMs } from '../clock.ts';
import { takePacketWorker } from '../early/index.ts';
import { Wakeup } from '../epoll.ts';
import { ControlQueue } from './control-queue.ts';
import type {
  FromPacketThread,
  HeldDescriptors,
  PacketThreadOptions,
  PacketThreadSetup,
  SaReport,
  ToPacketThread,
} from './messages.ts';
import { PatientQueue } from './patient-queue.ts';
import { SaJournal } from './sa-journal.ts';

/** A thread that dies so often within the interval is not started again. */
const deathsMax = 5;
const deathIntervalMs = 60_000;

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
  /** The thread died, and another one goes on with its sockets, its device and so many SAs. */
  restarted(error: Error, sas: number): void;
  /** The thread died too often; nothing is received any more. */
  died(error: Error): void;
}

/** Sockets, TUN device and the userspace data plane, in a thread of their own. */
export class PacketThread {
  readonly #options: PacketThreadOptions;
  readonly #listener: PacketThreadListener;
  readonly #wakeup = new Wakeup();
  readonly #onExit = (): void => this.#wakeup.wake();
  readonly #journal = new SaJournal();
  #worker: Worker;
  #ended: Promise<void> = Promise.resolve();
  #held: HeldDescriptors | undefined;
  #deaths: number[] = [];
  #closing: (() => void) | undefined;
  #wakeDue = false;

  private constructor(options: PacketThreadOptions, listener: PacketThreadListener) {
    this.#options = options;
    this.#listener = listener;
    this.#worker = takePacketWorker();
  }

  /** @throws PacketThreadError if a port, the raw socket or the TUN device cannot be had */
  static async start(options: PacketThreadOptions, listener: PacketThreadListener): Promise<PacketThread> {
    const thread = new PacketThread(options, listener);
    const { worker, controlQueue } = thread.#setUp();
    thread.#held = await new Promise<HeldDescriptors>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (message: FromPacketThread) => {
        if (message.kind === 'ready') resolve(message.held);
        else if (message.kind === 'failed') reject(new PacketThreadError(message.code, message.detail));
        else reject(new Error(`the packet thread began with ${message.kind}`));
      });
    });
    worker.removeAllListeners('error');
    thread.#listen(worker, controlQueue);
    // A thread that waits in epoll_wait would hold up the end of the process.
    process.on('exit', thread.#onExit);
    return thread;
  }

  get tunName(): string | undefined {
    return this.#held?.tun?.name;
  }

  #setUp(): { worker: Worker; controlQueue: ControlQueue } {
    const controlQueue = new ControlQueue();
    const setup: PacketThreadSetup = {
      wakeFd: this.#wakeup.fd,
      controlQueue: controlQueue.memory,
      options: this.#options,
      ...(this.#held === undefined ? {} : { adopted: this.#held }),
    };
    this.#worker.postMessage(setup);
    return { worker: this.#worker, controlQueue };
  }

  #listen(worker: Worker, controlQueue: ControlQueue): void {
    const strangers = new PatientQueue<FromPacketThread>((message) => {
      controlQueue.taken();
      this.#take(message);
    });
    worker.on('message', (message: FromPacketThread) => {
      const ofStranger =
        (message.kind === 'datagram' && !message.ofPeer) ||
        (message.kind === 'event' && message.event.kind === 'unknown-spi');
      if (ofStranger) {
        strangers.add(message);
        return;
      }
      if (message.kind === 'datagram') controlQueue.taken();
      this.#take(message);
    });
    let why: Error | undefined;
    worker.on('error', (error) => {
      why = error as Error;
    });
    this.#ended = new Promise((resolve) => {
      worker.once('exit', (code) => {
        strangers.clear();
        resolve();
        if (this.#closing === undefined) this.#replace(why ?? new Error(`it ended with ${code}`));
      });
    });
  }

  /** Another thread takes over what the dead one has left: nothing that it sealed or opened is used again. */
  #replace(error: Error): void {
    const at = monotonicMs();
    for (const { id, result } of this.#journal.abandon(at)) this.#listener.saResult(id, result);
    this.#deaths = [...this.#deaths.filter((one) => at - one < deathIntervalMs), at];
    if (this.#deaths.length > deathsMax) {
      this.#listener.died(error);
      return;
    }
    this.#worker = takePacketWorker();
    const { worker, controlQueue } = this.#setUp();
    this.#listen(worker, controlQueue);
    for (const entry of this.#journal.replay(at)) worker.postMessage({ kind: 'apply', ...entry });
    this.#listener.restarted(error, this.#journal.saCount);
  }

  #take(message: FromPacketThread): void {
    const listener = this.#listener;
    switch (message.kind) {
      case 'datagram':
        listener.datagram(message.local, message.remote, message.octets);
        break;
      case 'event':
        listener.event(message.event);
        break;
      case 'sa-result':
        this.#journal.answered(message.id, message.result, monotonicMs());
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
        this.#held = message.held;
        break;
    }
  }

  transmit(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    this.#post({ kind: 'transmit', local, remote, octets });
  }

  apply(id: number, command: SaCommand): void {
    this.#post({ kind: 'apply', id, ...this.#journal.asked(id, command) });
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
    this.#journal.close();
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
