// The control thread's handle on the packet thread.
import type { Worker } from 'node:worker_threads';
import type { DataPlaneEvent, Endpoint, IpAddress, LsiTable, SaCommand, SaResult } from '#sa';
import { takePacketWorker } from '../early/index.ts';
import { Wakeup } from '../epoll.ts';
import type { IcmpError } from '../icmp-errors.ts';
import { ControlQueue } from './control-queue.ts';
import type {
  FromPacketThread,
  ListenMessage,
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
  /** A HIP packet; the ports are 0 if it came right in IP. */
  hipPacket(local: Endpoint, remote: Endpoint, octets: Uint8Array): void;
  /** Addresses or routes of this machine came or went. */
  addressesChanged(): void;
  /** Somebody says what became of a packet to one of our peers. */
  icmpError(error: IcmpError): void;
  event(event: DataPlaneEvent): void;
  saResult(id: number, result: SaResult): void;
  /** @param heapBytes what the thread's JavaScript objects take */
  reports(reports: readonly SaReport[], verdicts: Readonly<Record<string, number>>, heapBytes: number): void;
  /** SPIs that other key managers hold in the kernel's SAD, after each change; never told by the userspace data plane. */
  foreignSpis?(spis: readonly number[]): void;
  /** The thread died; nothing is received any more. */
  died(error: Error): void;
}

/** Sockets, TUN device and the userspace data plane, in a thread of their own. */
export class PacketThread {
  readonly #worker: Worker;
  readonly #wakeup: Wakeup;
  readonly #controlQueue: ControlQueue;
  readonly #onExit = (): void => this.#wakeup.wake();
  readonly tunName: string | undefined;
  readonly #ended: Promise<void>;
  #closing: (() => void) | undefined;
  #waking = false;
  #closed = false;
  #listening: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  private constructor(
    worker: Worker,
    wakeup: Wakeup,
    controlQueue: ControlQueue,
    tunName: string | undefined,
  ) {
    this.#worker = worker;
    this.#controlQueue = controlQueue;
    this.#wakeup = wakeup;
    this.tunName = tunName;
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    // A thread that waits in epoll_wait would hold up the end of the process.
    process.on('exit', this.#onExit);
  }

  /** Opens the device, and no socket. @throws PacketThreadError if it cannot be had */
  static async open(options: PacketThreadOptions, listener: PacketThreadListener): Promise<PacketThread> {
    const wakeup = new Wakeup();
    const controlQueue = new ControlQueue();
    const worker = takePacketWorker();
    const setup: PacketThreadSetup = { wakeFd: wakeup.fd, controlQueue: controlQueue.memory, options };
    worker.postMessage(setup);
    const tunName = await new Promise<string | undefined>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (message: FromPacketThread) => {
        if (message.kind === 'opened') resolve(message.tunName);
        else if (message.kind === 'failed') reject(new PacketThreadError(message.code, message.detail));
        else reject(new Error(`the packet thread began with ${message.kind}`));
      });
    });
    const thread = new PacketThread(worker, wakeup, controlQueue, tunName);
    worker.removeAllListeners('error');
    worker.on('error', (error) => listener.died(error as Error));
    worker.on('message', (message: FromPacketThread) => {
      const ofStranger =
        message.kind === 'icmp-error' ||
        ((message.kind === 'datagram' || message.kind === 'hip-packet') && !message.ofPeer) ||
        (message.kind === 'event' && message.event.kind === 'unknown-spi');
      if (ofStranger) {
        strangers.add(message);
        return;
      }
      if (message.kind === 'datagram' || message.kind === 'hip-packet') controlQueue.taken();
      thread.#take(message, listener);
    });
    const strangers = new PatientQueue<FromPacketThread>((message) => {
      controlQueue.taken();
      thread.#take(message, listener);
    });
    worker.once('exit', () => strangers.clear());
    return thread;
  }

  /**
   * Binds the sockets. What comes to them waits until `receive`.
   * @throws PacketThreadError if a port or a raw socket cannot be had
   */
  async listen(): Promise<void> {
    const message: ListenMessage = { kind: 'listen' };
    this.#worker.postMessage(message);
    await new Promise<void>((resolve, reject) => {
      this.#listening = { resolve, reject };
    });
    this.#listening = undefined;
  }

  #take(message: FromPacketThread, listener: PacketThreadListener): void {
    switch (message.kind) {
      case 'datagram':
        listener.datagram(message.local, message.remote, message.octets);
        break;
      case 'hip-packet':
        listener.hipPacket(message.local, message.remote, message.octets);
        break;
      case 'addresses-changed':
        listener.addressesChanged();
        break;
      case 'icmp-error':
        listener.icmpError(message.error);
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
      case 'foreign-spis':
        listener.foreignSpis?.(message.spis);
        break;
      case 'closed':
        this.#closing?.();
        break;
      case 'failed': {
        const error = new PacketThreadError(message.code, message.detail);
        if (this.#listening === undefined) listener.died(error);
        else this.#listening.reject(error);
        break;
      }
      case 'listening':
        this.#listening?.resolve();
        break;
      case 'opened':
        break;
    }
  }

  /** Moves at least twice a second while packets can be handled. */
  get beats(): number {
    return this.#controlQueue.beats;
  }

  transmit(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    this.#post({ kind: 'transmit', local, remote, octets });
  }

  transmitHip(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    this.#post({ kind: 'hip-transmit', local, remote, octets });
  }

  loadLsis(table: LsiTable): void {
    this.#post({ kind: 'lsis', table });
  }

  sendIcmp(local: IpAddress, remote: IpAddress, octets: Uint8Array): void {
    this.#post({ kind: 'icmp', local, remote, octets });
  }

  apply(id: number, command: SaCommand): void {
    this.#post({ kind: 'apply', id, command });
  }

  /** From now on what comes is read. */
  receive(): void {
    this.#post({ kind: 'receive' });
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
    this.#closed = true;
    this.#wakeup.close();
  }

  #post(message: ToPacketThread): void {
    this.#worker.postMessage(message);
    if (this.#waking) return;
    this.#waking = true;
    // Once for all that this turn has to say: whoever is woken may take the processor of whoever wakes.
    queueMicrotask(() => {
      this.#waking = false;
      if (!this.#closed) this.#wakeup.wake();
    });
  }
}
