// The control thread's handle on the packet thread, and on the one that takes its place if it dies.
import type { Worker } from 'node:worker_threads';
import type { KnownPath, TooBig } from '#ipsec';
import type { DataPlaneEvent, Endpoint, IpAddress, LsiTable, SaCommand, SaName, SaResult } from '#sa';
import { takePacketWorker } from '../early/index.ts';
import { monotonicMs } from '../libc/clock.ts';
import { closeDescriptor, Wakeup } from '../libc/epoll.ts';
import type { IcmpError } from '../sockets/icmp-errors.ts';
import { ControlQueue } from './control/control-queue.ts';
import type {
  FromPacketThread,
  HeldDescriptors,
  OtherThreadsSetup,
  PacketThreadOptions,
  PacketThreadSetup,
  SaReport,
  ToPacketThread,
} from './control/messages.ts';
import { PatientQueue } from './control/patient-queue.ts';
import { SaJournal } from './sas/sa-journal.ts';

/** A thread that dies so often within the interval is not started again. */
const deathsMax = 5;
const deathIntervalMs = 60_000;

const nothingHeld: HeldDescriptors = { own: [], sockets: [] };

/** The packet thread could not start: `code` is an errno name such as EADDRINUSE, EPERM or ENOENT, or `died`. */
export class PacketThreadError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
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
  /** Of several threads: a packet that another one has sent was too large. */
  tooBig?(error: TooBig): void;
  event(event: DataPlaneEvent): void;
  saResult(id: number, result: SaResult): void;
  reports(reports: readonly SaReport[]): void;
  /**
   * @param verdicts packets by what became of them
   * @param heapBytes what the thread's JavaScript objects take
   */
  statistics(verdicts: Readonly<Record<string, number>>, heapBytes: number): void;
  /** SPIs that other key managers hold in the kernel's SAD, after each change; never told by the userspace data plane. */
  foreignSpis?(spis: readonly number[]): void;
  /** For whoever reads the log: something goes on without what it should have. */
  warning?(text: string): void;
  /** The thread died, and another one goes on with its sockets, its device and so many SAs. */
  restarted(error: Error, sas: number): void;
  /** The thread died too often; nothing is received any more. */
  died(error: Error): void;
}

/** What it shares with other packet threads. */
export interface AmongOthers {
  /** Of whoever starts all of them, and closes it after the last of them has ended. */
  readonly wakeup: Wakeup;
  readonly setup: OtherThreadsSetup;
  /** It has something to be told: `flush` is to be called in this turn of the event loop. */
  readonly schedule: () => void;
}

/** Sockets, TUN device and the userspace data plane, in a thread of their own. */
export class PacketThread {
  readonly #options: PacketThreadOptions;
  readonly #listener: PacketThreadListener;
  readonly #among: AmongOthers | undefined;
  readonly #wakeup: Wakeup;
  readonly #onExit = (): void => this.#wakeup.wake();
  readonly #journal: SaJournal;
  #worker: Worker;
  #ended: Promise<void> = Promise.resolve();
  #held: HeldDescriptors = nothingHeld;
  #deaths: number[] = [];
  #closing: (() => void) | undefined;
  /** For the end of this turn of the event loop: a message and a wake-up for all that it has to say. */
  #outbox: ToPacketThread[] = [];
  #closed = false;
  /** How far the thread has been told to come, and another one is. */
  #phase: 'opening' | 'open' | 'listening' = 'opening';
  #receiving = false;
  #lsis: LsiTable | undefined;
  #controlQueue = new ControlQueue();
  /** Of `open` or `listen`. */
  #awaited: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  /** Why there is no thread any more, and will be none. */
  #failure: PacketThreadError | undefined;

  private constructor(options: PacketThreadOptions, listener: PacketThreadListener, among?: AmongOthers) {
    this.#options = options;
    // SAs of the kernel need nobody to be told of them again.
    this.#journal = new SaJournal({ replayed: options.kernel === undefined });
    this.#listener = listener;
    this.#among = among;
    this.#wakeup = among?.wakeup ?? new Wakeup();
    this.#worker = takePacketWorker();
  }

  /** Opens the device, and no socket. @throws PacketThreadError if it cannot be had */
  static async open(
    options: PacketThreadOptions,
    listener: PacketThreadListener,
    among?: AmongOthers,
  ): Promise<PacketThread> {
    const thread = new PacketThread(options, listener, among);
    // A thread that waits in epoll_wait would hold up the end of the process.
    if (among === undefined) process.on('exit', thread.#onExit);
    const opened = thread.#answer();
    thread.#attend(thread.#setUp());
    try {
      await opened;
    } catch (error) {
      await thread.close();
      throw error;
    }
    return thread;
  }

  /** Of the kernel data plane, once it listens: its UDP sockets, IKE's and then HIP's. */
  get sockets(): readonly number[] {
    return this.#options.kernel === undefined ? [] : this.#held.sockets;
  }

  get tunName(): string | undefined {
    return this.#held.tun?.name;
  }

  #setUp(): Worker {
    const controlQueue = new ControlQueue();
    this.#controlQueue = controlQueue;
    const setup: PacketThreadSetup = {
      wakeFd: this.#wakeup.fd,
      controlQueue: controlQueue.memory,
      options: this.#options,
      left: this.#held,
      ...(this.#among === undefined ? {} : { others: this.#among.setup }),
    };
    this.#worker.postMessage(setup);
    return this.#worker;
  }

  /** To what the thread is told to do next. */
  #answer(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#awaited = { resolve, reject };
    });
  }

  #attend(worker: Worker): void {
    const controlQueue = this.#controlQueue;
    const strangers = new PatientQueue<FromPacketThread>((message) => {
      controlQueue.taken();
      this.#take(message);
    });
    worker.on('message', (messages: readonly FromPacketThread[]) => {
      for (const message of messages) {
        if (isOfStranger(message)) {
          strangers.add(message);
          continue;
        }
        if (message.kind === 'datagram' || message.kind === 'hip-packet') controlQueue.taken();
        this.#take(message);
      }
    });
    let why: Error | undefined;
    worker.on('error', (error) => {
      why = error as Error;
    });
    this.#ended = new Promise((resolve) => {
      worker.once('exit', (code) => {
        strangers.clear();
        resolve();
        if (this.#closing !== undefined || this.#failure !== undefined) return;
        this.#replace(why ?? new Error(`it ended with ${code}`));
      });
    });
  }

  /**
   * Binds the sockets. What comes to them waits until `receive`.
   * @throws PacketThreadError if a port or a raw socket cannot be had
   */
  async listen(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#phase = 'listening';
    this.#tellToListen();
    await this.#answer();
  }

  /** Another thread takes over what the dead one has left: nothing that it sealed or opened is used again. */
  #replace(error: Error): void {
    const at = monotonicMs();
    const abandoned = this.#journal.abandon(at);
    this.#deaths = [...this.#deaths.filter((one) => at - one < deathIntervalMs), at];
    // SAs of the kernel outlive the thread, and the process that will take them up.
    const over =
      this.#phase === 'opening' || this.#deaths.length > deathsMax || this.#options.kernel !== undefined;
    if (!over) this.#startAnother(at);
    // What is asked for because of them comes after what stood.
    for (const { id, result } of abandoned) this.#listener.saResult(id, result);
    if (over) this.#fail(error);
    else this.#listener.restarted(error, this.#journal.saCount);
  }

  #fail(error: Error): void {
    this.#failure =
      error instanceof PacketThreadError
        ? error
        : new PacketThreadError('died', `the packet thread died: ${error.message}`, { cause: error });
    if (this.#awaited === undefined) this.#listener.died(error);
    else this.#awaited.reject(this.#failure);
    this.#awaited = undefined;
  }

  #startAnother(at: number): void {
    for (const fd of this.#held.own) closeDescriptor(fd);
    this.#held = { ...this.#held, own: [] };
    this.#worker = takePacketWorker();
    this.#attend(this.#setUp());
    if (this.#phase !== 'listening') return;
    this.#tellToListen();
    for (const entry of this.#journal.replay(at)) this.#post({ kind: 'apply', ...entry });
    if (this.#lsis !== undefined) this.#post({ kind: 'lsis', table: this.#lsis });
    if (this.#receiving) this.#post({ kind: 'receive' });
  }

  /** In a message of its own: what comes with it would be taken before there is a loop to take it. */
  #tellToListen(): void {
    const message: ToPacketThread = { kind: 'listen' };
    this.#worker.postMessage([message]);
  }

  #take(message: FromPacketThread): void {
    const listener = this.#listener;
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
      case 'too-big':
        listener.tooBig?.(message.error);
        break;
      case 'event':
        listener.event(message.event);
        break;
      case 'sa-done':
        for (const id of message.ids) this.#answered(id, { ok: true });
        break;
      case 'sa-result':
        this.#answered(message.id, message.result);
        break;
      case 'reports':
        listener.reports(message.reports);
        break;
      case 'statistics':
        listener.statistics(message.verdicts, message.heapBytes);
        break;
      case 'foreign-spis':
        listener.foreignSpis?.(message.spis);
        break;
      case 'warning':
        listener.warning?.(message.text);
        break;
      case 'closed':
        this.#closing?.();
        break;
      case 'failed':
        this.#fail(new PacketThreadError(message.code, message.detail));
        break;
      case 'holds':
        this.#held = message.held;
        break;
      case 'opened':
        if (this.#phase !== 'opening') break;
        this.#phase = 'open';
        this.#succeed();
        break;
      case 'listening':
        this.#succeed();
        break;
    }
  }

  #succeed(): void {
    this.#awaited?.resolve();
    this.#awaited = undefined;
  }

  #answered(id: number, result: SaResult): void {
    this.#journal.answered(id, result, monotonicMs());
    this.#listener.saResult(id, result);
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

  hearTooBig(error: TooBig): void {
    this.#post({ kind: 'too-big', error });
  }

  learnPath(remote: IpAddress, path: KnownPath): void {
    this.#post({ kind: 'path', remote, path });
  }

  loadLsis(table: LsiTable): void {
    this.#lsis = table;
    this.#post({ kind: 'lsis', table });
  }

  sendIcmp(local: IpAddress, remote: IpAddress, octets: Uint8Array): void {
    this.#post({ kind: 'icmp', local, remote, octets });
  }

  apply(id: number, command: SaCommand): void {
    this.#post({ kind: 'apply', id, ...this.#journal.asked(id, command) });
  }

  /** Another thread seals what a pair sends, or with `undefined` this one if any. */
  sealedElsewhere(childId: number, by: number | undefined): void {
    this.#post({ kind: 'sealed-elsewhere', childId, by });
  }

  /** Another thread has an inbound SA, whose packets come from `remote`; undefined: not any more. */
  receivedElsewhere(
    { protocol, spi, childId }: Omit<SaName, 'direction'>,
    by: number,
    remote: IpAddress | undefined,
  ): void {
    this.#post({ kind: 'received-elsewhere', protocol, spi, childId, by, remote });
  }

  /** Forgets what it still has of packets, once for all that it is told at a time. */
  wipe(): void {
    this.#post({ kind: 'wipe' });
  }

  /** From now on what comes is read. */
  receive(): void {
    this.#receiving = true;
    this.#post({ kind: 'receive' });
  }

  /** Ends the thread; everything posted before is carried out first. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#closing = () => {
        this.#held = nothingHeld;
        resolve();
      };
    });
    this.#post({ kind: 'close' });
    // A thread that died does not answer.
    await Promise.race([closed, this.#ended]);
    await this.#worker.terminate();
    closeAll(this.#held);
    this.#journal.close();
    process.off('exit', this.#onExit);
    this.#closed = true;
    if (this.#among === undefined) this.#wakeup.close();
  }

  #post(message: ToPacketThread): void {
    this.#outbox.push(message);
    if (this.#outbox.length > 1) return;
    if (this.#among === undefined) queueMicrotask(() => this.flush());
    else this.#among.schedule();
  }

  /** What it was asked is on its way to the thread. So it is at the end of this turn of the event loop at the latest. */
  flush(): void {
    if (this.#outbox.length === 0) return;
    this.#worker.postMessage(this.#outbox);
    this.#outbox = [];
    if (!this.#closed) this.#wakeup.wake();
  }
}

/** What a thread that died has left to nobody. */
function closeAll({ own, sockets, tun }: HeldDescriptors): void {
  for (const fd of [...own, ...sockets, ...(tun === undefined ? [] : [tun.fd])]) closeDescriptor(fd);
}

/** Anybody makes as many of these as he likes. */
function isOfStranger(message: FromPacketThread): boolean {
  return (
    message.kind === 'icmp-error' ||
    message.kind === 'too-big' ||
    ((message.kind === 'datagram' || message.kind === 'hip-packet') && !message.ofPeer) ||
    (message.kind === 'event' && message.event.kind === 'unknown-spi')
  );
}
