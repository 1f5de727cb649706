// The packet thread's loop: sockets and TUN on one side, the data plane on the other, never an event loop of its own.
import { getHeapStatistics } from 'node:v8';
import type { MessagePort } from 'node:worker_threads';
import { receiveMessageOnPort } from 'node:worker_threads';
import { nodeRandomness } from '#crypto';
import { LsiTranslation, MemoryDataPlane, SaProgress, verdictNames } from '#ipsec';
import { type IpAddress, isIpv6, type SaCommand } from '#sa';
import { AddressWatch } from '../address-watch.ts';
import { monotonicMs } from '../clock.ts';
import { DatagramBatch } from '../datagram-batch.ts';
import { DatagramSocket, type DatagramTransport } from '../datagram-socket.ts';
import { closeDescriptor, Wakeup } from '../epoll.ts';
import { IcmpErrors } from '../icmp-errors.ts';
import { ListeningPorts } from '../listening-ports.ts';
import { Coalescing } from '../offload/coalescing.ts';
import { virtioNetHeaderBytes } from '../offload/virtio-net-header.ts';
import { openSslPacketCipher } from '../openssl/packet-cipher.ts';
import { PacketMemory } from '../packet-memory.ts';
import { ReceivedMarksFile } from '../received-marks-file.ts';
import { TunDevice } from '../tun-device.ts';
import { AhReceiver } from './ah-receiver.ts';
import type { Arrivals } from './arrivals.ts';
import { ControlHandOver } from './control-hand-over.ts';
import type { ControlQueue } from './control-queue.ts';
import { Departures } from './departures.ts';
import { EspReceiver } from './esp-receiver.ts';
import { FloodGuard } from './flood-guard.ts';
import { HipSockets } from './hip-sockets.ts';
import { IkeReceiver } from './ike-receiver.ts';
import type { HeldDescriptors, PacketThreadOptions, ToPacketThread } from './messages.ts';
import { type PacketCounter, PacketCounters } from './packet-counters.ts';
import { SaReports } from './sa-reports.ts';
import { WatchedDescriptors } from './watched-descriptors.ts';
import { Ways } from './ways.ts';

/** An unbounded wait would keep the process from ending. */
const waitMsMax = 500;
const icmpErrorsMax = 16;
const reportIntervalMs = 200;
const espProtocol = 50;
const ahProtocol = 51;
/** IPPROTO_RAW: what is sent has its IP header, and nothing is ever received. */
const withHeader = 255;
const deliveryBytes = virtioNetHeaderBytes + 65_535;
/** Unknown SPIs that the control thread hears of: more would only keep it from its peers. */
const unknownSpisPerSecondMax = 500;

/** Of all that lies in the memory for packets. */
function bytesFor({ addresses, nativeEsp, hip }: PacketThreadOptions): number {
  const sockets = addresses.length * ((nativeEsp ? 4 : 2) + (hip === true ? 1 : 0));
  const pieces = [
    ...[deliveryBytes, Departures.bytes, Coalescing.bytes, TunDevice.bytes],
    ...Array.from({ length: sockets }, () => DatagramBatch.bytes),
  ];
  return pieces.reduce((sum, bytes) => sum + PacketMemory.bytesTaken(bytes), 0);
}

/**
 * Opens the device at once and the sockets with `listen`, and runs until told to close. It reads from neither before it is
 * told to `receive`: until then the kernel keeps what comes.
 */
export class PacketLoop {
  readonly #port: MessagePort;
  readonly #options: PacketThreadOptions;
  readonly #wakeup: Wakeup;
  readonly #controlQueue: ControlQueue;
  readonly #control: ControlHandOver;
  readonly #watched = new WatchedDescriptors();
  readonly #sockets: DatagramSocket[] = [];
  readonly #icmpErrors = new Map<number, IcmpErrors>();
  #hip: HipSockets | undefined;
  #addressWatch: AddressWatch | undefined;
  readonly #lsi = new LsiTranslation(new ListeningPorts());
  readonly #tun: TunDevice | undefined;
  readonly #plane: MemoryDataPlane;
  readonly #ways: Ways;
  readonly #departures: Departures;
  readonly #arrivals: Arrivals;
  readonly #coalescing: Coalescing;
  readonly #memory: PacketMemory;
  readonly #delivery: number;
  readonly #ahReceivers: AhReceiver[] = [];
  readonly #reports: SaReports;
  readonly #flood: FloodGuard;
  #tunDropped = 0;
  #evidenceRefused = 0;
  readonly #counters: PacketCounters;
  #toldSum = 0;
  #reportAt = 0;
  #running = true;
  /** An SA went: what it carried is wiped before the next packets come. */
  #wipeDue = false;
  /** Sockets that a thread before this one has left, those to be opened next first. */
  readonly #leftSockets: number[];

  /** @throws SystemCallError if the device cannot be had */
  constructor(
    port: MessagePort,
    wakeFd: number,
    controlQueue: ControlQueue,
    options: PacketThreadOptions,
    adopted?: HeldDescriptors,
  ) {
    this.#leftSockets = [...(adopted?.sockets ?? [])];
    if (adopted !== undefined) closeDescriptor(adopted.epoll);
    this.#port = port;
    this.#options = options;
    this.#wakeup = new Wakeup(wakeFd);
    this.#controlQueue = controlQueue;
    this.#control = new ControlHandOver(port, controlQueue);
    this.#plane = new MemoryDataPlane({
      randomness: nodeRandomness(),
      pathMtuBytes: options.pathMtuBytes,
      protocols: options.nativeEsp ? ['esp', 'ah'] : ['esp'],
      unknownSpisPerSecondMax,
      makeCipher: openSslPacketCipher,
      ...(options.receivedMarks === undefined
        ? {}
        : { receivedMarks: new ReceivedMarksFile(options.receivedMarks.path, options.receivedMarks.bootId) }),
    });
    this.#reports = new SaReports(this.#plane);
    this.#counters = this.#allCounters();
    this.#flood = new FloodGuard((protocol) => this.#plane.inboundSas(protocol));
    this.#memory = new PacketMemory(bytesFor(options));
    this.#delivery = this.#memory.take(deliveryBytes);
    this.#ways = new Ways(this.#memory);
    const shared = { plane: this.#plane, lsi: this.#lsi, drain: () => this.#drain() };
    this.#departures = new Departures(this.#memory, { ...shared, ways: this.#ways });
    this.#watched.watch(this.#wakeup.fd, () => {
      this.#wakeup.drain();
      this.#takeMessages();
    });
    if (options.tunName !== undefined) {
      const { tun: left } = adopted ?? {};
      const tun = new TunDevice(left?.name ?? options.tunName, this.#memory, { adopted: left?.fd });
      this.#tun = tun;
      this.#watched.watchLater(tun.fd, () => this.#departures.read(tun));
    }
    const write = (start: number, lengthBytes: number): void => {
      if (this.#tun?.write(start, lengthBytes) !== true) this.#tunDropped++;
    };
    this.#coalescing = new Coalescing(this.#memory, write, { udp: this.#tun?.takesLargeUdp ?? false });
    this.#arrivals = { ...shared, coalescing: this.#coalescing, control: this.#control, unaddressed: 0 };
  }

  /** Binds the sockets. @throws SystemCallError if one cannot be had */
  listen(): void {
    const options = this.#options;
    for (const address of options.addresses) {
      for (const port of [options.ikePort, options.natTraversalPort]) {
        const socket = this.#open(address, { kind: 'udp', port });
        if (port === options.natTraversalPort) this.#listenForEsp(socket);
        else this.#listenForIke(socket);
      }
      if (options.nativeEsp) {
        this.#listenForEsp(this.#open(address, { kind: 'raw', protocol: espProtocol }));
        this.#listenForAh(this.#open(address, { kind: 'raw', protocol: ahProtocol }));
        this.#ways.addAh(this.#open(address, { kind: 'raw', protocol: withHeader }));
      }
    }
    if (options.hip === true) {
      // A thread before this one has left HIP's too: they are opened anew.
      for (const fd of this.#leftSockets.splice(0)) closeDescriptor(fd);
      this.#listenForHip(new HipSockets(options.addresses, options.mark));
    }
  }

  #open(address: IpAddress, transport: DatagramTransport): DatagramSocket {
    const options = { mark: this.#options.mark, adopted: this.#leftSockets.shift() };
    const socket = new DatagramSocket(address, transport, options);
    this.#sockets.push(socket);
    return socket;
  }

  #listenForIke(socket: DatagramSocket): void {
    this.#icmpErrors.set(socket.fd, new IcmpErrors(socket, false));
    const receiver = new IkeReceiver(this.#arrivals, socket, this.#memory);
    this.#watched.watchLater(socket.fd, () => receiver.receive());
  }

  #listenForEsp(socket: DatagramSocket): void {
    this.#icmpErrors.set(socket.fd, new IcmpErrors(socket, true));
    const gate = this.#flood.add(socket, 'esp');
    const receiver = new EspReceiver(this.#arrivals, this.#ways.addEsp(socket), gate);
    this.#watched.watchLater(socket.fd, () => receiver.receive());
  }

  #listenForAh(socket: DatagramSocket): void {
    const gate = this.#flood.add(socket, 'ah');
    const receiver = new AhReceiver(this.#arrivals, socket, this.#memory, gate);
    this.#ahReceivers.push(receiver);
    this.#watched.watchLater(socket.fd, () => receiver.receive());
  }

  #listenForHip(hip: HipSockets): void {
    this.#hip = hip;
    this.#sockets.push(...hip.all);
    for (const socket of hip.udp) this.#listenForEsp(socket);
    for (const socket of hip.raw) {
      this.#watched.watchLater(socket.fd, () =>
        hip.receive(socket, (local, remote, octets) => this.#control.hipPacket(local, remote, octets)),
      );
    }
    const watch = new AddressWatch();
    this.#addressWatch = watch;
    this.#watched.watch(watch.fd, () => {
      watch.drain();
      this.#control.post({ kind: 'addresses-changed' });
    });
  }

  /** What would stay behind if this thread died. */
  get held(): HeldDescriptors {
    return {
      epoll: this.#watched.fd,
      sockets: this.#sockets.map(({ fd }) => fd),
      ...(this.#tun === undefined ? {} : { tun: { fd: this.#tun.fd, name: this.#tun.name } }),
    };
  }

  run(): void {
    // What was said before anybody listened to the wake-up.
    this.#takeMessages();
    this.#control.flush();
    while (this.#running) {
      this.#controlQueue.beat();
      for (const fd of this.#watched.serve(this.#waitMs())) this.#readErrors(this.#icmpErrors.get(fd));
      const at = monotonicMs();
      if (this.#plane.handleTimeout(at)) this.#wipe();
      this.#flood.advance(at);
      this.#drain();
      if (at >= this.#reportAt) this.#report(at);
      this.#control.flush();
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
    this.#addressWatch?.close();
    this.#tun?.close();
    this.#watched.close();
    this.#wipe();
  }

  #waitMs(): number {
    const deadline = this.#plane.deadline();
    if (deadline === undefined) return waitMsMax;
    return Math.max(0, Math.min(waitMsMax, Math.ceil(deadline - monotonicMs())));
  }

  #readErrors(errors: IcmpErrors | undefined): void {
    for (let i = 0; i < icmpErrorsMax; i++) {
      const error = errors?.receive();
      if (error === undefined) return;
      this.#control.icmpError(error);
    }
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
        this.#udpSocketFor(local.port, isIpv6(local.address))?.send(local.address, remote, octets);
        return;
      }
      case 'hip-transmit':
        this.#hip?.transmit(message.local, message.remote, message.octets);
        return;
      case 'lsis':
        this.#lsi.load(message.table);
        return;
      case 'icmp':
        this.#hip?.complain(message.local, message.remote, message.octets);
        return;
      case 'apply':
        this.#apply(message.id, message.command, message.progress);
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

  #udpSocketFor(port: number, ipv6: boolean): DatagramSocket | undefined {
    return this.#sockets.find(
      ({ transport, family }) =>
        (family === 6) === ipv6 && transport.kind === 'udp' && transport.port === port,
    );
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
    for (const receiver of this.#ahReceivers) receiver.wipe();
  }

  /** Carries out what the data plane asks for besides batches. */
  #drain(): void {
    for (let output = this.#plane.poll(); output !== undefined; output = this.#plane.poll()) {
      switch (output.kind) {
        case 'transmit': {
          const { protocol, local, remote, octets, trafficClass } = output;
          this.#ways.sendNow(protocol, local, remote, octets, trafficClass);
          break;
        }
        case 'deliver':
          this.#memory.octets.set(output.packet, this.#delivery + virtioNetHeaderBytes);
          this.#coalescing.take(this.#delivery + virtioNetHeaderBytes, output.packet.length);
          this.#coalescing.flush();
          // This copy is nobody's any more.
          output.packet.fill(0);
          break;
        // The kernel routes into the device only what a tunnel carries: there is no other way out for the rest.
        case 'bypass':
          break;
        // No pair is sealed elsewhere: there is no other thread yet.
        case 'hand-over':
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
      ['hip-unsent', () => this.#hip?.unsent ?? 0],
      ...this.#control.icmpCounters,
      ['unknown-spi-filtered', () => this.#flood.filtered],
      ['socket-overflow', () => overflowOf(this.#sockets)],
      ['evidence-dropped', () => this.#plane.unknownSpisDropped + this.#evidenceRefused],
    ]);
  }
}

function overflowOf(sockets: readonly DatagramSocket[]): number {
  return sockets.reduce((sum, { overflow }) => sum + overflow, 0);
}
