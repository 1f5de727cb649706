// The packet thread's loop where the kernel is the data plane: sockets for IKE, and netlink instead of packets.
import { getHeapStatistics } from 'node:v8';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { type Endpoint, type IpAddress, isIpv6, type SaCommand } from '#sa';
import type { XfrmMessage } from '#wire';
import { monotonicMs } from '../libc/clock.ts';
import { Wakeup } from '../libc/epoll.ts';
import { SystemCallError } from '../libc/errno.ts';
import { AddressWatch } from '../netlink/address-watch.ts';
import { ControlHandOver } from '../packet-thread/control/control-hand-over.ts';
import type { ControlQueue } from '../packet-thread/control/control-queue.ts';
import type { PacketThreadOptions, ToPacketThread } from '../packet-thread/control/messages.ts';
import { HipSockets } from '../packet-thread/hip-sockets.ts';
import type { Holdings } from '../packet-thread/holdings.ts';
import { type PacketCounter, PacketCounters } from '../packet-thread/packet-counters.ts';
import { WatchedDescriptors } from '../packet-thread/watched-descriptors.ts';
import { DatagramSocket, type DatagramTransport } from '../sockets/datagram-socket.ts';
import { bypassPolicies, takeEspFrom } from './ike-socket-options.ts';
import { KernelDataPlane } from './kernel-data-plane.ts';
import { KernelPaths } from './kernel-paths.ts';
import { ForeignSpis } from './unknown-spis/foreign-spis.ts';
import { UnknownSpiWatch } from './unknown-spis/unknown-spi-watch.ts';
import { xfrmStatistics } from './unknown-spis/xfrm-statistics.ts';
import { keyManagerGroups, policyRemovals, XfrmSocket } from './xfrm-socket.ts';

/** An unbounded wait would keep the process from ending. */
const waitMsMax = 500;
const datagramsMax = 32;
const messagesMax = 64;
/** How often counters are read, while there are few SAs. */
const reportIntervalMs = 200;
/** And for each SA: one in fifty of a processor's time at the most. */
const reportIntervalMsPerSa = 2;
const statisticsIntervalMs = 100;
const unknownSpisPerSecondMax = 500;
/** After the kernel had no answer. */
const askAgainMs = 1_000;

/** Counters of refused packets after which SAs are asked for theirs. */
const failureCounters = ['XfrmInStateProtoError', 'XfrmInStateSeqError'];

/** Opens the sockets with `listen` and runs until told to close. It reads nothing before it is told to. */
export class KernelLoop {
  readonly #port: MessagePort;
  readonly #wakeup: Wakeup;
  readonly #controlQueue: ControlQueue;
  readonly #control: ControlHandOver;
  readonly #watched = new WatchedDescriptors();
  readonly #sockets: DatagramSocket[] = [];
  /** Of these, IKE's, also with ESP in UDP. */
  #udpSockets = 0;
  #hip: HipSockets | undefined;
  #addressWatch: AddressWatch | undefined;
  readonly #plane: KernelDataPlane;
  readonly #kernel = new XfrmSocket(keyManagerGroups);
  readonly #removals = policyRemovals();
  readonly #foreign: ForeignSpis;
  readonly #watch: UnknownSpiWatch;
  readonly #paths: KernelPaths;
  #statistics: ReadonlyMap<string, number> = new Map();
  #statisticsAt = 0;
  #failures = 0;
  #failed = false;
  #reportAt = 0;
  readonly #counters: PacketCounters;
  #toldSum = 0;
  #evidenceRefused = 0;
  #kernelMessagesLost = 0;
  #lookUpDue = false;
  #lookUpAt = Number.POSITIVE_INFINITY;
  #unanswered = 0;
  #saidUnanswered = false;
  #earlierUntil: number | undefined;
  #running = true;
  readonly #options: PacketThreadOptions;
  readonly #keepEarlierMs: number;
  readonly #holdings: Holdings;

  /** @throws SystemCallError without XFRM in this kernel, or without the right to change it */
  constructor(
    port: MessagePort,
    wakeFd: number,
    controlQueue: ControlQueue,
    options: PacketThreadOptions,
    holdings: Holdings,
  ) {
    holdings.addOwn(this.#watched.fd);
    this.#holdings = holdings;
    this.#port = port;
    this.#wakeup = new Wakeup(wakeFd);
    this.#controlQueue = controlQueue;
    this.#control = new ControlHandOver(port, controlQueue);
    const { kernel } = options;
    if (kernel === undefined) throw new Error('this loop is for the kernel data plane');
    const warn = (text: string): void => this.#warn(text);
    this.#plane = new KernelDataPlane(kernel.ownerName, new XfrmSocket(), warn);
    this.#foreign = new ForeignSpis((spis) => this.#control.post({ kind: 'foreign-spis', spis }));
    this.#options = options;
    this.#counters = this.#allCounters();
    this.#keepEarlierMs = kernel.keepEarlierMs;
    this.#watch = new UnknownSpiWatch({
      natTraversalPort: options.natTraversalPort,
      perSecondMax: unknownSpisPerSecondMax,
      knownSpis: () => [...this.#plane.inboundSpis(), ...this.#foreign.spis()],
      // Where it cannot be asked nothing is said of it.
      isKnown: (protocol, spi, destination) =>
        this.#attempt(() => this.#plane.isKnown(protocol, spi, destination), true),
      warn,
    });
    this.#paths = new KernelPaths(options.pathMtuBytes);
    this.#watched.watch(this.#wakeup.fd, () => this.#wakeup.drain());
    this.#watched.watch(this.#kernel.fd, () => this.#readKernel());
    this.#watched.watch(this.#removals.fd, () => this.#readRemovals());
  }

  /** Binds the sockets; what comes to them waits. @throws SystemCallError if one cannot be had */
  listen(): void {
    // What comes and goes meanwhile waits in the socket for kernel messages.
    this.#foreign.reset(this.#plane.foreignStates());
    const { addresses, ikePort, natTraversalPort, hip } = this.#options;
    for (const address of addresses) {
      for (const port of [ikePort, natTraversalPort]) {
        const socket = this.#open(address, { kind: 'udp', port });
        this.#watched.watchLater(socket.fd, () => this.#receive(socket));
        if (port === natTraversalPort) takeEspFrom(socket);
      }
    }
    if (hip === true) this.#listenForHip();
    this.#watchAddresses();
  }

  /** UDP sockets are those of the process before, as far as there are any: IKE's, and then HIP's. */
  #open(address: IpAddress, transport: DatagramTransport): DatagramSocket {
    const { mark, kernel } = this.#options;
    const isUdp = transport.kind === 'udp';
    const adopted = isUdp ? kernel?.sockets?.[this.#udpSockets++] : undefined;
    const socket = new DatagramSocket(address, transport, { mark, marksEach: isUdp, adopted });
    this.#sockets.push(socket);
    if (isUdp) this.#holdings.addSocket(socket.fd);
    else this.#holdings.addOwn(socket.fd);
    bypassPolicies(socket);
    return socket;
  }

  /** HIP right in IP, and in UDP, where ESP is the kernel's as it is on IKE's port. */
  #listenForHip(): void {
    const { addresses } = this.#options;
    const hip = new HipSockets(addresses, (address, transport) => this.#open(address, transport));
    this.#hip = hip;
    for (const socket of hip.udp) {
      takeEspFrom(socket);
      this.#watched.watchLater(socket.fd, () => this.#receive(socket));
    }
    for (const socket of hip.raw) {
      this.#watched.watchLater(socket.fd, () =>
        hip.receive(socket, (local, remote, octets) => this.#control.hipPacket(local, remote, octets)),
      );
    }
  }

  #watchAddresses(): void {
    const watch = new AddressWatch();
    this.#addressWatch = watch;
    this.#watched.watch(watch.fd, () => {
      watch.drain();
      this.#control.post({ kind: 'addresses-changed' });
    });
  }

  #receiveFromNowOn(): void {
    this.#watched.release();
    this.#earlierUntil = monotonicMs() + this.#keepEarlierMs;
  }

  run(): void {
    while (this.#running) {
      this.#controlQueue.beat();
      this.#watched.serve(this.#waitMs());
      this.#takeMessages();
      const at = monotonicMs();
      this.#plane.handleTimeout(at);
      if (this.#earlierUntil !== undefined && at >= this.#earlierUntil) this.#removeEarlier(at);
      if (at >= this.#lookUpAt) this.#readKernel();
      if (at >= this.#statisticsAt) this.#readStatistics(at);
      this.#watch.read(at);
      if (at >= this.#paths.dueAt) this.#lookAtPaths(at);
      if (at >= this.#reportAt) this.#report(at);
      this.#drain();
      this.#control.flush();
    }
  }

  close(): void {
    this.#plane.close();
    this.#watch.close();
    this.#paths.close();
    this.#kernel.close();
    this.#removals.close();
    this.#addressWatch?.close();
    for (const socket of this.#sockets) socket.close();
    this.#watched.close();
  }

  #waitMs(): number {
    const due = Math.min(
      this.#plane.deadline() ?? Number.POSITIVE_INFINITY,
      this.#watch.dueAt,
      this.#statisticsAt,
      this.#reportAt,
      this.#earlierUntil ?? Number.POSITIVE_INFINITY,
      this.#lookUpAt,
      this.#paths.dueAt,
    );
    return Math.max(0, Math.min(waitMsMax, Math.ceil(due - monotonicMs())));
  }

  /** What the kernel cannot tell now, or do, is asked of it again later. */
  #attempt<Result>(work: () => Result, otherwise: Result): Result {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      this.#unanswered++;
      if (!this.#saidUnanswered)
        this.#warn(`the kernel is asked again for what it refused: ${error.message}`);
      this.#saidUnanswered = true;
      return otherwise;
    }
  }

  #warn(text: string): void {
    this.#control.post({ kind: 'warning', text });
  }

  #removeEarlier(at: number): void {
    const removed = this.#attempt(() => this.#plane.removeEarlier(), undefined);
    this.#earlierUntil = removed === undefined ? at + askAgainMs : undefined;
  }

  #receive(socket: DatagramSocket): void {
    for (let i = 0; i < datagramsMax; i++) {
      const datagram = socket.receive();
      if (datagram === undefined) return;
      this.#control.datagram(datagram.local, datagram.remote, datagram.octets);
    }
  }

  /** @returns undefined when none is waiting; `lost`: some were, for want of room */
  #receiveFrom(socket: XfrmSocket): readonly XfrmMessage[] | 'lost' | undefined {
    try {
      return socket.receive();
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.code !== 'ENOBUFS') throw error;
      this.#kernelMessagesLost++;
      return 'lost';
    }
  }

  #readKernel(): void {
    for (let i = 0; i < messagesMax; i++) {
      const { unreadable } = this.#kernel;
      const messages = this.#receiveFrom(this.#kernel);
      if (messages === 'lost' || this.#kernel.unreadable !== unreadable) this.#lookUpDue = true;
      if (messages === 'lost') continue;
      if (messages === undefined) {
        this.#lookUpLost();
        return;
      }
      const at = monotonicMs();
      for (const message of messages) {
        if (!this.#plane.take(message, at)) this.#lookUpDue = true;
        this.#foreign.take(message, (state) => this.#plane.isOurState(state));
        // The kernel does not say which ones they were.
        if (message.kind === 'flush-sas') this.#lookUpDue = true;
      }
    }
  }

  #readRemovals(): void {
    for (let i = 0; i < messagesMax; i++) {
      const messages = this.#receiveFrom(this.#removals);
      if (messages === undefined) return;
      const at = monotonicMs();
      if (messages === 'lost') this.#plane.restorePolicies(at);
      else for (const message of messages) this.#plane.takeRemoval(message, at);
    }
  }

  /** Not before the socket is empty: until then the kernel does not say that more were lost. */
  #lookUpLost(): void {
    if (!this.#lookUpDue) return;
    const foreign = this.#attempt(() => this.#plane.lookUpLost(), undefined);
    this.#lookUpDue = foreign === undefined;
    this.#lookUpAt = foreign === undefined ? monotonicMs() + askAgainMs : Number.POSITIVE_INFINITY;
    if (foreign !== undefined) this.#foreign.reset(foreign);
  }

  #lookAtPaths(at: number): void {
    for (const event of this.#paths.look(at, () => this.#plane.sas())) this.#control.event(event);
  }

  #readStatistics(at: number): void {
    this.#statisticsAt = at + statisticsIntervalMs;
    this.#statistics = xfrmStatistics();
    const failures = failureCounters.reduce((sum, name) => sum + (this.#statistics.get(name) ?? 0), 0);
    if (failures !== this.#failures) this.#failed = true;
    this.#failures = failures;
    this.#watch.count(this.#statistics.get('XfrmInNoStates'), at);
  }

  #takeMessages(): void {
    for (
      let next = receiveMessageOnPort(this.#port);
      next !== undefined;
      next = receiveMessageOnPort(this.#port)
    ) {
      for (const message of next.message as readonly ToPacketThread[]) this.#take(message);
    }
  }

  #take(message: ToPacketThread): void {
    switch (message.kind) {
      case 'transmit': {
        const { local, remote, octets } = message;
        this.#socketFor(local)?.send(local.address, remote, octets);
        break;
      }
      case 'hip-transmit':
        this.#hip?.transmit(message.local, message.remote, message.octets);
        break;
      case 'icmp':
        this.#hip?.complain(message.local, message.remote, message.octets);
        break;
      case 'apply':
        this.#apply(message.id, message.command);
        break;
      case 'receive':
        this.#receiveFromNowOn();
        break;
      case 'close':
        this.#running = false;
        break;
    }
  }

  #socketFor({ address, port }: Endpoint): DatagramSocket | undefined {
    const family = isIpv6(address) ? 6 : 4;
    return this.#sockets.find(
      ({ transport, family: own }) => own === family && transport.kind === 'udp' && transport.port === port,
    );
  }

  #apply(id: number | undefined, command: SaCommand): void {
    // The last counters of an SA that goes away are told before it does.
    if (command.kind === 'remove') this.#reportLast(command);
    const result = this.#plane.apply(command, monotonicMs());
    if (result.ok) this.#control.peers.follow(command);
    if (id !== undefined) this.#control.answer(id, result);
    this.#drain();
  }

  #drain(): void {
    for (let event = this.#plane.poll(); event !== undefined; event = this.#plane.poll())
      this.#control.event(event);
    for (let evidence = this.#watch.take(); evidence !== undefined; evidence = this.#watch.take()) {
      if (!this.#control.event({ kind: 'unknown-spi', evidence })) this.#evidenceRefused += evidence.count;
    }
  }

  #reportLast(command: Extract<SaCommand, { kind: 'remove' }>): void {
    const report = this.#attempt(
      () => this.#plane.reports.takeLast(command, monotonicMs(), this.#failed),
      undefined,
    );
    if (report !== undefined) this.#control.post({ kind: 'reports', reports: [report] });
  }

  #report(at: number): void {
    this.#reportAt = at + Math.max(reportIntervalMs, reportIntervalMsPerSa * this.#plane.size);
    const reports = this.#plane.reports.take(at, this.#failed);
    this.#failed &&= this.#plane.reports.incomplete;
    if (reports.length > 0) this.#control.post({ kind: 'reports', reports });
    let { sum } = this.#counters;
    for (const count of this.#statistics.values()) sum += count;
    if (sum === this.#toldSum) return;
    this.#toldSum = sum;
    // The kernel's own counters under their own names, those that count at all.
    const ofKernel = [...this.#statistics].filter(([, count]) => count > 0);
    const verdicts = { ...Object.fromEntries(ofKernel), ...this.#counters.byName() };
    this.#control.post({ kind: 'statistics', verdicts, heapBytes: getHeapStatistics().used_heap_size });
  }

  #allCounters(): PacketCounters {
    const { ikeCounters, hipCounters } = this.#control;
    const hipUnsent: PacketCounter = ['hip-unsent', () => this.#hip?.unsent ?? 0];
    return new PacketCounters([
      ...ikeCounters,
      ...(this.#options.hip === true ? [...hipCounters, hipUnsent] : []),
      ['socket-overflow', () => this.#sockets.reduce((sum, { overflow }) => sum + overflow, 0)],
      ['kernel-messages-lost', () => this.#kernelMessagesLost],
      ['kernel-unanswered', () => this.#unanswered],
      ['kernel-messages-unreadable', () => this.#kernel.unreadable + this.#removals.unreadable],
      ['kernel-policies-restored', () => this.#plane.policiesRestored],
      ['evidence-dropped', () => this.#watch.dropped + this.#evidenceRefused],
    ]);
  }
}
