// The packet thread's loop: sockets and TUN on one side, the data plane on the other, never an event loop of its own.
import { getHeapStatistics } from 'node:v8';
import type { MessagePort } from 'node:worker_threads';
import { receiveMessageOnPort } from 'node:worker_threads';
import { nodeRandomness } from '#crypto';
import { LsiTranslation, MemoryDataPlane, SaProgress, type TooBig, verdictNames } from '#ipsec';
import { isIpv6, type SaCommand, type SaProtocol } from '#sa';
import { OtherThreads } from '../hand-over/other-threads.ts';
import { monotonicMs } from '../libc/clock.ts';
import { Wakeup } from '../libc/epoll.ts';
import { PacketMemory } from '../memory/packet-memory.ts';
import { Coalescing } from '../offload/coalescing.ts';
import { virtioNetHeaderBytes } from '../offload/virtio-net-header.ts';
import { openSslPacketCipher } from '../openssl/packet-cipher.ts';
import { ReceivedMarksFile } from '../received-marks/received-marks-file.ts';
import type { IcmpError } from '../sockets/icmp-errors.ts';
import { ListeningPorts } from '../sockets/listening-ports.ts';
import { TunDevice } from '../tun-device.ts';
import type { Arrivals } from './arrivals/arrivals.ts';
import { HandedOver } from './arrivals/handed-over.ts';
import { ControlHandOver } from './control/control-hand-over.ts';
import type { ControlQueue } from './control/control-queue.ts';
import type { OtherThreadsSetup, PacketThreadOptions, ToPacketThread } from './control/messages.ts';
import { Departures } from './departures/departures.ts';
import { Ways } from './departures/ways.ts';
import type { ExpectedSa } from './floods/flood-filter.ts';
import { FloodGuard } from './floods/flood-guard.ts';
import type { Holdings } from './holdings.ts';
import { type PacketCounter, PacketCounters } from './packet-counters.ts';
import { PacketSockets, type ThreadPlace } from './packet-sockets.ts';
import { SaReports } from './sas/sa-reports.ts';
import { WatchedDescriptors } from './watched-descriptors.ts';

/** An unbounded wait would keep the process from ending. */
const waitMsMax = 500;
const reportIntervalMs = 200;
const deliveryBytes = virtioNetHeaderBytes + 65_535;
/** Unknown SPIs that the control thread hears of: more would only keep it from its peers. */
const unknownSpisPerSecondMax = 500;

/** Of all that lies in the memory for packets. */
function bytesFor(options: PacketThreadOptions, place: ThreadPlace): number {
  const pieces = [deliveryBytes, Departures.bytes, Coalescing.bytes, TunDevice.bytes];
  if (place.threads > 1) pieces.push(HandedOver.bytes);
  const own = pieces.reduce((sum, bytes) => sum + PacketMemory.bytesTaken(bytes), 0);
  return own + PacketSockets.bytesTaken(options, place);
}

/** What a thread that died has left, and the threads beside this one. */
export interface Beside {
  readonly holdings: Holdings;
  readonly others: OtherThreadsSetup | undefined;
}

/**
 * Opens the device at once and the sockets with `listen`, and runs until told to close. It reads from neither before it is
 * told to `receive`: until then the kernel keeps what comes.
 */
export class PacketLoop {
  readonly #port: MessagePort;
  readonly #wakeup: Wakeup;
  readonly #controlQueue: ControlQueue;
  readonly #control: ControlHandOver;
  readonly #watched = new WatchedDescriptors();
  readonly #sockets: PacketSockets;
  readonly #lsi = new LsiTranslation(new ListeningPorts());
  readonly #tun: TunDevice | undefined;
  readonly #plane: MemoryDataPlane;
  readonly #ways: Ways;
  readonly #departures: Departures;
  readonly #arrivals: Arrivals;
  readonly #coalescing: Coalescing;
  readonly #memory: PacketMemory;
  readonly #delivery: number;
  readonly #reports: SaReports;
  readonly #flood: FloodGuard;
  #tunDropped = 0;
  #evidenceRefused = 0;
  #tooBigHeard = 0;
  #tooBigIgnored = 0;
  readonly #counters: PacketCounters;
  #toldSum = 0;
  #reportAt = 0;
  #running = true;
  /** An SA went: what it carried is wiped before the next packets come. */
  #wipeDue = false;
  /** Absent: this packet thread is alone. */
  readonly #others: OtherThreads | undefined;
  readonly #handedOver: HandedOver | undefined;

  /** @throws SystemCallError if the device cannot be had */
  constructor(
    port: MessagePort,
    wakeFd: number,
    controlQueue: ControlQueue,
    options: PacketThreadOptions,
    { holdings, others }: Beside,
  ) {
    holdings.addOwn(this.#watched.fd);
    this.#port = port;
    this.#others = others === undefined ? undefined : new OtherThreads(others);
    const place = { thread: others?.thread ?? 0, threads: others?.wakeFds.length ?? 1 };
    this.#wakeup = new Wakeup(wakeFd);
    this.#controlQueue = controlQueue;
    this.#control = new ControlHandOver(port, controlQueue);
    this.#plane = new MemoryDataPlane({
      randomness: nodeRandomness(),
      pathMtuBytes: options.pathMtuBytes,
      protocols: options.nativeEsp ? ['esp', 'ah'] : ['esp'],
      unknownSpisPerSecondMax: Math.ceil(unknownSpisPerSecondMax / place.threads),
      makeCipher: openSslPacketCipher,
      ...(options.receivedMarks === undefined
        ? {}
        : { receivedMarks: new ReceivedMarksFile(options.receivedMarks.path, options.receivedMarks.bootId) }),
    });
    this.#reports = new SaReports(this.#plane);
    this.#counters = this.#allCounters();
    this.#flood = new FloodGuard((protocol) => this.#expected(protocol));
    this.#memory = new PacketMemory(bytesFor(options, place));
    this.#delivery = this.#memory.take(deliveryBytes);
    this.#ways = new Ways(this.#memory);
    const shared = {
      ...{ plane: this.#plane, lsi: this.#lsi, others: this.#others },
      drain: () => this.#drain(),
    };
    this.#departures = new Departures(this.#memory, { ...shared, ways: this.#ways });
    this.#watched.watch(this.#wakeup.fd, () => {
      this.#wakeup.drain();
      this.#takeMessages();
    });
    if (options.tunName !== undefined) {
      const { tun: left } = holdings;
      const tun = new TunDevice(left?.name ?? options.tunName, this.#memory, {
        adopted: left?.fd,
        queue: place.threads === 1 ? undefined : place.thread === 0 ? 'first' : 'further',
      });
      this.#tun = tun;
      if (left === undefined) holdings.addTun(tun.fd, tun.name);
      this.#watched.watchLater(tun.fd, () => this.#departures.read(tun));
    }
    const write = (start: number, lengthBytes: number): void => {
      if (this.#tun?.write(start, lengthBytes) !== true) this.#tunDropped++;
    };
    this.#coalescing = new Coalescing(this.#memory, write, { udp: this.#tun?.takesLargeUdp ?? false });
    this.#arrivals = { ...shared, coalescing: this.#coalescing, control: this.#control, unaddressed: 0 };
    if (this.#others !== undefined)
      this.#handedOver = new HandedOver(this.#memory, this.#others, this.#arrivals, this.#departures);
    this.#sockets = new PacketSockets({
      ...{ options, memory: this.#memory, watched: this.#watched, arrivals: this.#arrivals },
      ...{ ways: this.#ways, flood: this.#flood, holdings },
      place,
      hearError: (error) => this.#hearError(error),
    });
  }

  /** Binds the sockets. @throws SystemCallError if one cannot be had */
  listen(): void {
    this.#sockets.listen();
  }

  /** The inbound SAs of this thread and of all others: what comes for those is handed over. */
  *#expected(protocol: SaProtocol): Iterable<ExpectedSa> {
    yield* this.#plane.inboundSas(protocol);
    if (this.#others !== undefined) yield* this.#others.inboundSas(protocol);
  }

  run(): void {
    // What was said before anybody listened to the wake-up.
    this.#takeMessages();
    this.#control.flush();
    while (this.#running) {
      this.#controlQueue.beat();
      for (const fd of this.#watched.serve(this.#waitMs())) this.#sockets.readErrors(fd, monotonicMs());
      // In every round: whoever gave it may have died before it woke us.
      this.#handedOver?.take();
      const at = monotonicMs();
      if (this.#plane.handleTimeout(at)) this.#wipe();
      this.#flood.advance(at);
      this.#sockets.advance(at);
      this.#drain();
      this.#others?.flush();
      if (at >= this.#reportAt) this.#report(at);
      this.#control.flush();
    }
    // What has moved since the last time.
    this.#report(monotonicMs());
    this.#control.flush();
  }

  #hearError(error: IcmpError | TooBig): void {
    if (!('mtuBytes' in error)) this.#control.icmpError(error);
    else if (this.#plane.hearTooBig(error, monotonicMs())) this.#tooBigHeard++;
    // It came to whichever thread the kernel chose.
    else if (this.#others === undefined) this.#tooBigIgnored++;
    else if (!this.#control.tooBig(error)) this.#tooBigIgnored++;
  }

  close(): void {
    this.#sockets.close();
    this.#tun?.close();
    this.#watched.close();
    this.#wipe();
  }

  #waitMs(): number {
    if (this.#others?.hasMore === true) return 0;
    const deadline = this.#plane.deadline();
    if (deadline === undefined) return waitMsMax;
    return Math.max(0, Math.min(waitMsMax, Math.ceil(deadline - monotonicMs())));
  }

  #takeMessages(): void {
    for (
      let next = receiveMessageOnPort(this.#port);
      next !== undefined;
      next = receiveMessageOnPort(this.#port)
    ) {
      for (const message of next.message as readonly ToPacketThread[]) this.#take(message);
    }
    // Once for all that went together: there is much to wipe.
    if (this.#wipeDue) this.#wipe();
    this.#wipeDue = false;
  }

  #take(message: ToPacketThread): void {
    switch (message.kind) {
      case 'transmit': {
        const { local, remote, octets } = message;
        this.#sockets.udp(local.port, isIpv6(local.address))?.send(local.address, remote, octets);
        return;
      }
      case 'hip-transmit':
        this.#sockets.hip?.transmit(message.local, message.remote, message.octets);
        return;
      case 'too-big':
        this.#plane.hearTooBig(message.error, monotonicMs());
        this.#drain();
        return;
      case 'path':
        this.#plane.learnPath(message.remote, message.path, monotonicMs());
        return;
      case 'lsis':
        this.#lsi.load(message.table);
        return;
      case 'icmp':
        this.#sockets.hip?.complain(message.local, message.remote, message.octets);
        return;
      case 'apply':
        this.#apply(message.id, message.command, message.progress);
        return;
      case 'sealed-elsewhere':
        this.#others?.noteSealer(message.childId, message.by);
        this.#plane.sealElsewhere(message.childId, message.by !== undefined, monotonicMs());
        this.#drain();
        return;
      case 'received-elsewhere':
        this.#receivedElsewhere(message);
        return;
      case 'wipe':
        this.#wipeDue = true;
        return;
      case 'receive':
        this.#watched.release();
        return;
      case 'close':
        this.#running = false;
        return;
      case 'listen':
        return;
    }
  }

  #receivedElsewhere({ protocol, spi, childId, by, remote }: Message<'received-elsewhere'>): void {
    this.#others?.noteReceiver({ protocol, spi, childId }, by, remote);
    this.#control.peers.note(protocol, spi, remote);
    this.#flood.expectOthers();
    this.#passEarlyOn();
  }

  /** What came before its SA, which is another thread's: once that and its policy stand. */
  #passEarlyOn(): void {
    const others = this.#others;
    if (others === undefined) return;
    const early = this.#plane.takeEarly(monotonicMs(), (protocol, spi) => others.pairOf(protocol, spi));
    for (const received of early) this.#handedOver?.passOn(received);
  }

  #apply(id: number | undefined, command: SaCommand, progress?: SharedArrayBuffer): void {
    // The last counters of an SA that goes away are told before it does.
    const last = command.kind === 'remove' ? this.#reports.takeLast(command) : undefined;
    if (last !== undefined) this.#control.post({ kind: 'reports', reports: [last] });
    const noted = progress === undefined ? undefined : new SaProgress(progress);
    const result = this.#plane.apply(command, monotonicMs(), noted);
    if (result.ok) {
      this.#control.peers.follow(command);
      this.#reports.follow(command);
      this.#flood.follow(command);
      if (command.kind === 'install-policy') this.#passEarlyOn();
    }
    if (command.kind === 'remove') this.#wipeDue = true;
    if (id !== undefined) this.#control.answer(id, result);
    this.#drain();
  }

  /** Nothing of what a dead SA carried stays in memory. */
  #wipe(): void {
    this.#departures.wipe();
    this.#coalescing.wipe();
    this.#memory.wipe(this.#delivery, deliveryBytes);
    this.#tun?.wipe();
    this.#ways.wipe();
    this.#sockets.wipe();
    this.#handedOver?.wipe();
  }

  /** Carries out what the data plane asks for besides batches. */
  #drain(): void {
    for (let output = this.#plane.poll(); output !== undefined; output = this.#plane.poll()) {
      switch (output.kind) {
        case 'transmit': {
          const { protocol, local, remote, octets, trafficClass, dontFragment } = output;
          this.#ways.sendNow(protocol, local, remote, octets, { trafficClass, fragmentable: !dontFragment });
          break;
        }
        case 'deliver': {
          const packet = this.#lsi.active ? this.#lsi.error(output.packet) : output.packet;
          this.#memory.octets.set(packet, this.#delivery + virtioNetHeaderBytes);
          this.#coalescing.take(this.#delivery + virtioNetHeaderBytes, packet.length);
          this.#coalescing.flush();
          // This copy is nobody's any more.
          output.packet.fill(0);
          break;
        }
        case 'hand-over':
          this.#others?.handOverPacket(output.childId, output.packet);
          // This copy is nobody's any more.
          output.packet.fill(0);
          break;
        // The kernel routes into the device only what a tunnel carries: there is no other way out for the rest.
        case 'bypass':
          break;
        case 'event':
          if (!this.#control.event(output.event)) this.#evidenceRefused++;
          break;
      }
    }
  }

  #report(at: number): void {
    this.#reportAt = at + reportIntervalMs;
    const reports = this.#reports.take();
    if (reports.length > 0) this.#control.post({ kind: 'reports', reports });
    const { sum } = this.#counters;
    if (sum === this.#toldSum) return;
    this.#toldSum = sum;
    const heapBytes = getHeapStatistics().used_heap_size;
    this.#control.post({ kind: 'statistics', verdicts: this.#counters.byName(), heapBytes });
  }

  /** Of the data plane, and of packets that are no matter of it, or were lost on their way to it or from it. */
  #allCounters(): PacketCounters {
    return new PacketCounters([
      ...verdictNames.map((name, code): PacketCounter => [name, () => this.#plane.verdictCount(code)]),
      ['device-refused', () => this.#tunDropped],
      ['device-malformed', () => this.#departures.malformed],
      ['socket-refused', () => this.#ways.refused],
      ['no-socket', () => this.#ways.missing],
      ['unaddressed', () => this.#arrivals.unaddressed],
      ...this.#control.ikeCounters,
      ['lsi-untranslatable', () => this.#departures.untranslatable],
      ...this.#control.hipCounters,
      ['hip-unsent', () => this.#sockets.hip?.unsent ?? 0],
      ...this.#control.icmpCounters,
      ['icmp-floods', () => this.#sockets.errorFloods],
      ['icmp-too-big', () => this.#tooBigHeard],
      ['icmp-too-big-ignored', () => this.#tooBigIgnored],
      ['unknown-spi-filtered', () => this.#flood.filtered],
      ['hand-over-returned', () => this.#departures.returned],
      ['hand-over-overflow', () => this.#others?.overflow ?? 0],
      ['socket-overflow', () => this.#sockets.overflow],
      ['evidence-dropped', () => this.#plane.unknownSpisDropped + this.#evidenceRefused],
    ]);
  }
}

type Message<Kind> = Extract<ToPacketThread, { kind: Kind }>;
