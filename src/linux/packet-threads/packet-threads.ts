// Several packet threads that are one to the control thread: each command goes where its SA is, and what they say is put together.
import type { Endpoint, IpAddress, LsiTable, SaCommand, SaResult } from '#sa';
import { warmUpPacketThreads } from '../early/index.ts';
import { Wakeup } from '../epoll.ts';
import { PacketRing } from '../hand-over/packet-ring.ts';
import type { OtherThreadsSetup, PacketThreadOptions } from '../packet-thread/messages.ts';
import { PacketThread, type PacketThreadListener } from '../packet-thread/packet-thread.ts';
import { receivedMarksPathOf } from '../received-marks-files.ts';
import { CommonBeats } from './common-beats.ts';
import { type InboundPlace, SaPlacement } from './sa-placement.ts';
import { Statistics } from './statistics.ts';

/** An inbound SA, and where its packets come from; undefined: it is gone. */
type Received = Pick<InboundPlace, 'protocol' | 'spi'> & { readonly remote: IpAddress | undefined };

/** A command on its way. */
interface Asked {
  readonly command: SaCommand;
  /** Of the pair that it is about, if that is known. */
  readonly childId: number | undefined;
  /** How many threads have not answered yet. */
  waiting: number;
  /** The first that one answered. */
  refusal: SaResult | undefined;
}

/** Has the interface of a `PacketThread`. What is not about packets is the first thread's. */
export class PacketThreads {
  readonly #listener: PacketThreadListener;
  readonly #placement: SaPlacement;
  readonly #threads: PacketThread[] = [];
  readonly #asked = new Map<number, Asked>();
  readonly #statistics: Statistics;
  readonly #beats = new CommonBeats();
  readonly #wakeups: readonly Wakeup[];

  private constructor(threads: number, listener: PacketThreadListener) {
    this.#listener = listener;
    this.#placement = new SaPlacement(threads);
    this.#statistics = new Statistics(threads);
    this.#wakeups = Array.from({ length: threads }, () => new Wakeup());
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
    const wakeups = this.#wakeups;
    const rings = wakeups.map(() => wakeups.map(() => new SharedArrayBuffer(PacketRing.bytes)));
    // They load their code side by side.
    warmUpPacketThreads(wakeups.length);
    const open = async (thread: number): Promise<void> => {
      const setup: OtherThreadsSetup = {
        thread,
        wakeFds: wakeups.map(({ fd }) => fd),
        to: rings[thread]!,
        from: rings.map((ofOther) => ofOther[thread]!),
      };
      const among = { wakeup: wakeups[thread]!, setup };
      this.#threads[thread] = await PacketThread.open(
        this.#optionsOf(thread, options),
        this.#listenTo(thread),
        among,
      );
    };
    // It makes the device of which the others open queues.
    await open(0);
    const further = await Promise.allSettled(wakeups.slice(1).map((_, i) => open(i + 1)));
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
      event: (event) => listener.event(event),
      saResult: (id, result) => this.#answered(id, result),
      reports: (reports) => listener.reports(reports),
      statistics: (verdicts, heapBytes) => {
        const sum = this.#statistics.of(thread, verdicts, heapBytes);
        listener.statistics(sum.verdicts, sum.heapBytes);
      },
      restarted: (error, sas) => {
        this.#statistics.replaced(thread);
        this.#tellAgain(thread);
        listener.restarted(error, sas);
      },
      died: (error) => listener.died(error),
    };
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

  /** Answered by `saResult`, once all that are asked have answered. */
  apply(id: number, command: SaCommand): void {
    const childId = this.#placement.pairOf(command);
    const sealer = childId === undefined ? undefined : this.#placement.sealerOf(childId);
    const place = this.#placement.ask(command);
    if (typeof place === 'object') {
      // As late as any other answer.
      queueMicrotask(() => this.#listener.saResult(id, place));
      return;
    }
    const threads = place === 'all' ? this.#from(sealer) : [this.#threads[place]!];
    this.#asked.set(id, { command, childId, waiting: threads.length, refusal: undefined });
    for (const thread of threads) {
      thread.apply(id, command);
      // Who is told after it may hand it packets at once.
      thread.flush();
    }
    if (childId !== undefined && this.#placement.sealerOf(childId) !== sealer) this.#tellSealer(childId);
  }

  /** The one that seals for a pair before the others, who hand packets over to it. */
  #from(sealer = 0): readonly PacketThread[] {
    return [...this.#threads.slice(sealer), ...this.#threads.slice(0, sealer)];
  }

  #answered(id: number, result: SaResult): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    asked.waiting--;
    if (!result.ok) asked.refusal ??= result;
    if (asked.waiting > 0) return;
    this.#asked.delete(id);
    const { command, childId, refusal } = asked;
    if (refusal === undefined) this.#tellReceiver(command);
    else if (command.kind === 'install') {
      this.#placement.refused(command);
      if (childId !== undefined && command.sa.direction === 'outbound') this.#tellSealer(childId);
    }
    this.#listener.saResult(id, refusal ?? result);
  }

  /** What the other threads have to know of a command that one has carried out. */
  #tellReceiver(command: SaCommand): void {
    switch (command.kind) {
      case 'install': {
        const { direction, protocol, spi, remote } = command.sa;
        if (direction === 'inbound') this.#tellOthers({ protocol, spi, remote });
        break;
      }
      case 'update-addresses':
        if (command.direction === 'inbound') this.#tellOthers({ ...command, remote: command.remote.address });
        break;
      case 'remove':
        if (command.direction === 'inbound') this.#tellOthers({ ...command, remote: undefined });
        break;
    }
  }

  #tellOthers({ protocol, spi, remote }: Received): void {
    const by = this.#placement.receiverOf(spi);
    for (const [thread, one] of this.#threads.entries())
      if (thread !== by) one.receivedElsewhere(protocol, spi, by, remote);
  }

  #tellSealer(childId: number): void {
    const sealer = this.#placement.sealerOf(childId);
    for (const [thread, one] of this.#threads.entries())
      one.sealedElsewhere(childId, thread === sealer ? undefined : sealer);
  }

  /** A thread that takes another one's place knows of its own SAs only. */
  #tellAgain(thread: number): void {
    const one = this.#threads[thread]!;
    for (const [childId, sealer] of this.#placement.sealers)
      if (sealer !== thread) one.sealedElsewhere(childId, sealer);
    for (const { protocol, spi, remote, thread: by } of this.#placement.inbound())
      if (by !== thread) one.receivedElsewhere(protocol, spi, by, remote);
  }

  /** Ends all threads; everything asked before is carried out first. */
  async close(): Promise<void> {
    // Some were perhaps never opened.
    await Promise.all(this.#threads.filter((thread) => thread !== undefined).map((thread) => thread.close()));
    // Not before: threads wake each other.
    for (const wakeup of this.#wakeups) wakeup.close();
  }
}
