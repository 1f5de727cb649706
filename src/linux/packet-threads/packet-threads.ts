// Several packet threads that are one to the control thread: each command goes where its SA is, and what they say is put together.
import type { Endpoint, IpAddress, LsiTable, SaCommand, SaResult } from '#sa';
import { warmUpPacketThreads } from '../early/index.ts';
import { PacketRing } from '../hand-over/packet-ring.ts';
import { Wakeup } from '../libc/epoll.ts';
import type { PacketThreadOptions } from '../packet-thread/control/messages.ts';
import { PacketThread, type PacketThreadListener } from '../packet-thread/packet-thread.ts';
import { receivedMarksPathOf } from '../received-marks/received-marks-files.ts';
import { Answers } from './answers.ts';
import { CommonBeats } from './common-beats.ts';
import { OthersNotes } from './others-notes.ts';
import { SaPlacement } from './sa-placement.ts';
import { Statistics } from './statistics.ts';

/** Has the interface of a `PacketThread`. What is not about packets is the first thread's. */
export class PacketThreads {
  readonly #listener: PacketThreadListener;
  readonly #placement: SaPlacement;
  readonly #notes: OthersNotes;
  readonly #answers: Answers;
  readonly #threads: PacketThread[] = [];
  readonly #statistics: Statistics;
  readonly #beats = new CommonBeats();
  readonly #wakeups: readonly Wakeup[];
  readonly #rings: readonly (readonly SharedArrayBuffer[])[];
  readonly #onExit = (): void => {
    for (const wakeup of this.#wakeups) wakeup.wake();
  };
  /** Threads that have been given an SA in this turn of the event loop. */
  #owners = new Set<number>();
  #flushes = false;

  private constructor(threads: number, listener: PacketThreadListener) {
    this.#listener = listener;
    this.#placement = new SaPlacement(threads);
    this.#notes = new OthersNotes(this.#threads, this.#placement);
    this.#answers = new Answers((id, result) => listener.saResult(id, result));
    this.#statistics = new Statistics(threads);
    this.#wakeups = Array.from({ length: threads }, () => new Wakeup());
    this.#rings = this.#wakeups.map(() => this.#wakeups.map(() => new SharedArrayBuffer(PacketRing.bytes)));
  }

  /**
   * Opens the device, a queue of it for each thread, and no socket.
   * @param threads 2 at least
   * @throws PacketThreadError if it cannot be had
   */
  static async open(
    options: PacketThreadOptions,
    listener: PacketThreadListener,
    threads: number,
  ): Promise<PacketThreads> {
    const all = new PacketThreads(threads, listener);
    try {
      await all.#open(options);
    } catch (error) {
      await all.close();
      throw error;
    }
    return all;
  }

  async #open(options: PacketThreadOptions): Promise<void> {
    // A thread that waits in epoll_wait would hold up the end of the process.
    process.on('exit', this.#onExit);
    const numbers = [...this.#wakeups.keys()];
    // They load their code side by side.
    warmUpPacketThreads(numbers.length);
    const open = async (thread: number): Promise<void> => {
      this.#threads[thread] = await PacketThread.open(
        this.#optionsOf(thread, options),
        this.#listenTo(thread),
        {
          wakeup: this.#wakeups[thread]!,
          setup: {
            thread,
            wakeFds: this.#wakeups.map(({ fd }) => fd),
            to: this.#rings[thread]!,
            from: this.#rings.map((ofOther) => ofOther[thread]!),
          },
          schedule: () => this.#schedule(),
        },
      );
    };
    // It makes the device of which the others open queues.
    await open(0);
    const further = await Promise.allSettled(numbers.slice(1).map(open));
    const failed = further.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #optionsOf(thread: number, { receivedMarks, ...options }: PacketThreadOptions): PacketThreadOptions {
    // The device's name may have been the kernel's choice.
    const { tunName } = this;
    return {
      ...options,
      ...(tunName === undefined ? {} : { tunName }),
      ...(receivedMarks === undefined
        ? {}
        : { receivedMarks: { ...receivedMarks, path: receivedMarksPathOf(receivedMarks.path, thread) } }),
    };
  }

  #listenTo(thread: number): PacketThreadListener {
    const listener = this.#listener;
    return {
      datagram: (local, remote, octets) => listener.datagram(local, remote, octets),
      hipPacket: (local, remote, octets) => listener.hipPacket(local, remote, octets),
      addressesChanged: () => listener.addressesChanged(),
      icmpError: (error) => listener.icmpError(error),
      tooBig: (error) => this.#ofOthers(thread, (one) => one.hearTooBig(error)),
      event: (event) => {
        if (event.kind === 'path-mtu') {
          const { remote, pathMtuBytes, fragmentable } = event;
          this.#ofOthers(thread, (one) => one.learnPath(remote, { pathMtuBytes, fragmentable }));
        }
        listener.event(event);
      },
      saResult: (id, result) => this.#answers.answered(id, result),
      reports: (reports) => listener.reports(reports),
      statistics: (verdicts, heapBytes) => {
        const sum = this.#statistics.of(thread, verdicts, heapBytes);
        listener.statistics(sum.verdicts, sum.heapBytes);
      },
      warning: (text) => listener.warning?.(text),
      restarted: (error, sas) => {
        this.#statistics.replaced(thread);
        this.#notes.tellAgain(thread);
        listener.restarted(error, sas);
      },
      died: (error) => listener.died(error),
    };
  }

  #ofOthers(thread: number, tell: (one: PacketThread) => void): void {
    for (const [other, one] of this.#threads.entries()) if (other !== thread) tell(one);
  }

  get #first(): PacketThread | undefined {
    return this.#threads[0];
  }

  get tunName(): string | undefined {
    return this.#first?.tunName;
  }

  /** Moves at least twice a second while all threads can handle packets. */
  get beats(): number {
    return this.#beats.of(this.#threads.map(({ beats }) => beats));
  }

  /**
   * Binds the sockets, in the order of the threads: so does the kernel number them.
   * @throws PacketThreadError if a port or a raw socket cannot be had
   */
  async listen(): Promise<void> {
    for (const thread of this.#threads) await thread.listen();
  }

  receive(): void {
    for (const thread of this.#threads) thread.receive();
  }

  transmit(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    this.#first?.transmit(local, remote, octets);
  }

  transmitHip(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    this.#first?.transmitHip(local, remote, octets);
  }

  loadLsis(table: LsiTable): void {
    this.#first?.loadLsis(table);
  }

  sendIcmp(local: IpAddress, remote: IpAddress, octets: Uint8Array): void {
    this.#first?.sendIcmp(local, remote, octets);
  }

  /** Answered by `saResult`, in the order of asking, once all that are asked have answered. */
  apply(id: number, command: SaCommand): void {
    const before = command.kind === 'remove' ? this.#placement.inboundPlace(command) : undefined;
    const place = this.#placement.ask(command);
    if (typeof place === 'object') {
      this.#answers.refuse(id, place);
      this.#schedule();
      return;
    }
    const threads = place === 'all' ? this.#threads : [this.#threads[place]!];
    if (place !== 'all') this.#owners.add(place);
    const known = command.kind === 'install' ? this.#placement.known(command.sa) : undefined;
    this.#answers.ask(id, threads.length, (result) => this.#settled(command, known, result));
    for (const thread of threads) thread.apply(id, command);
    this.#notes.follow(command, before);
  }

  #settled(command: SaCommand, known: object | undefined, { ok }: SaResult): void {
    if (command.kind === 'update-addresses' && ok) this.#placement.moved(command);
    if (command.kind !== 'install' || ok) return;
    const { sa } = command;
    const place = this.#placement.inboundPlace(sa);
    if (!this.#placement.refused(sa, known)) return;
    if (place === undefined) this.#notes.tellSealer(sa.childId);
    else this.#notes.tellGone(place);
  }

  /** What the threads are asked and told in one turn of the event loop leaves at its end. */
  #schedule(): void {
    if (this.#flushes) return;
    this.#flushes = true;
    queueMicrotask(() => {
      this.#flushes = false;
      this.#flush();
    });
  }

  /**
   * Who gets SAs is told before those that may hand packets over to it then, and the first one, which sends for IKE, last: an answer
   * that makes the peer send is not to come before the SA.
   */
  #flush(): void {
    const owners = this.#owners;
    this.#owners = new Set();
    const rank = (thread: number): number => (thread === 0 ? 2 : owners.has(thread) ? 0 : 1);
    const order = [...this.#threads.entries()].sort(([a], [b]) => rank(a) - rank(b));
    for (const [, thread] of order) thread.flush();
    this.#answers.deliver();
  }

  /** Ends all threads; everything asked before is carried out first. */
  async close(): Promise<void> {
    this.#notes.close();
    // Some were perhaps never opened.
    await Promise.all(this.#threads.filter((thread) => thread !== undefined).map((thread) => thread.close()));
    process.off('exit', this.#onExit);
    // Not before: threads wake each other, and what they had for each other is plaintext.
    for (const wakeup of this.#wakeups) wakeup.close();
    for (const ring of this.#rings.flat()) new Uint8Array(ring).fill(0);
  }
}
