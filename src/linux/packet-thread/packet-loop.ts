// The packet thread's loop: sockets and TUN on one side, the data plane on the other, never an event loop of its own.
import { getHeapStatistics } from 'node:v8';
import type { MessagePort } from 'node:worker_threads';
import { receiveMessageOnPort } from 'node:worker_threads';
import { nodeRandomness } from '#crypto';
import { LsiTranslation, MemoryDataPlane, PacketSlot, SaProgress, Verdict } from '#ipsec';
import {
  addressBytes,
  type Endpoint,
  type IpAddress,
  isIpv6,
  type SaCommand,
  type SaDirection,
  type SaProtocol,
  type Spi,
} from '#sa';
import { classifyUdpEncapsulated, hipUdpPort, readU32, removeNonEspMarker } from '#wire';
import { AddressWatch } from '../address-watch.ts';
import { monotonicMs } from '../clock.ts';
import { DatagramBatch } from '../datagram-batch.ts';
import { DatagramSocket, type DatagramTransport } from '../datagram-socket.ts';
import { closeDescriptor, Epoll, Wakeup } from '../epoll.ts';
import { IcmpErrors } from '../icmp-errors.ts';
import { ListeningPorts } from '../listening-ports.ts';
import { Coalescing } from '../offload/coalescing.ts';
import { Segmentation } from '../offload/segmentation.ts';
import { virtioNetHeaderBytes } from '../offload/virtio-net-header.ts';
import { openSslPacketCipher } from '../openssl/packet-cipher.ts';
import { PacketMemory } from '../packet-memory.ts';
import { ReceivedMarksFile } from '../received-marks-file.ts';
import { SealedPacketSender } from '../sealed-packet-sender.ts';
import { TunDevice } from '../tun-device.ts';
import type { ControlQueue } from './control-queue.ts';
import { HipSockets } from './hip-sockets.ts';
import type {
  FromPacketThread,
  HeldDescriptors,
  PacketThreadOptions,
  SaReport,
  ToPacketThread,
} from './messages.ts';
import { OutboundBatch } from './outbound-batch.ts';
import { PeerAddresses } from './peer-addresses.ts';

/** An unbounded wait would keep the process from ending. */
const waitMsMax = 500;
/** How much one source may deliver before the others get their turn: reads of the device, and system calls of a socket. */
const tunReadsMax = 16;
const receivesMax = 2;
const icmpErrorsMax = 16;
const reportIntervalMs = 200;
const espProtocol = 50;
const ahProtocol = 51;
const ipv6HeaderBytes = 40;
const deliveryBytes = virtioNetHeaderBytes + 65_535;
/** Unknown SPIs that the control thread hears of: more would only keep it from its peers. */
const unknownSpisPerSecondMax = 500;

interface KnownSa {
  readonly protocol: SaProtocol;
  readonly direction: SaDirection;
  readonly spi: Spi;
  readonly childId: number;
  reportedPackets: number;
}

/** A socket that ESP leaves and enters by. */
interface Way {
  readonly socket: DatagramSocket;
  readonly sender: SealedPacketSender;
  readonly batch: DatagramBatch;
}

/** A raw IPv6 socket keeps the header to itself: what matters of it is put before the packet again. */
function writeIpv6Header(slot: PacketSlot): void {
  const { buffer } = slot;
  slot.start -= ipv6HeaderBytes;
  const at = slot.start;
  buffer.fill(0, at, at + ipv6HeaderBytes);
  buffer[at] = 0x60;
  buffer[at + 4] = slot.length >>> 8;
  buffer[at + 5] = slot.length;
  buffer[at + 6] = ahProtocol;
  buffer.set(addressBytes(slot.remote!.address), at + 8);
  buffer.set(addressBytes(slot.local!.address), at + 24);
  slot.length += ipv6HeaderBytes;
}

/** Of all that lies in the memory for packets. */
function bytesFor({ addresses, nativeEsp, hip }: PacketThreadOptions): number {
  const sockets = addresses.length * ((nativeEsp ? 4 : 2) + (hip === true ? 1 : 0));
  const pieces = [
    ...[deliveryBytes, OutboundBatch.bytes, Coalescing.bytes, TunDevice.bytes],
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
  readonly #epoll = new Epoll();
  readonly #sockets: DatagramSocket[] = [];
  readonly #ways: Way[] = [];
  readonly #readers = new Map<number, () => void>();
  /** What will be read from, once there is somebody to tell. */
  readonly #sources: { readonly fd: number; readonly read: () => void }[] = [];
  readonly #icmpErrors = new Map<number, IcmpErrors>();
  #hip: HipSockets | undefined;
  #addressWatch: AddressWatch | undefined;
  readonly #lsi = new LsiTranslation(new ListeningPorts());
  readonly #tun: TunDevice | undefined;
  readonly #plane: MemoryDataPlane;
  readonly #segmentation = new Segmentation();
  readonly #outbound: OutboundBatch;
  readonly #inbound: [PacketSlot] = [new PacketSlot()];
  readonly #coalescing: Coalescing;
  readonly #memory: PacketMemory;
  readonly #delivery: number;
  readonly #known = new Map<string, KnownSa>();
  #tunDropped = 0;
  #malformed = 0;
  #unaddressed = 0;
  #ikeOfPeers = 0;
  #ikeOfStrangers = 0;
  #ikeRefused = 0;
  #untranslatable = 0;
  #hipOfPeers = 0;
  #hipOfStrangers = 0;
  #hipRefused = 0;
  #evidenceRefused = 0;
  #icmpOfPeers = 0;
  #icmpIgnored = 0;
  #reportedSum = 0;
  readonly #peers = new PeerAddresses();
  #noWayOut = 0;
  #reportAt = 0;
  #running = true;
  /** An SA went: what it carried is wiped before the next packets come. */
  #wipeDue = false;

  readonly #mark: number;
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
    this.#mark = options.mark;
    this.#leftSockets = [...(adopted?.sockets ?? [])];
    if (adopted !== undefined) closeDescriptor(adopted.epoll);
    this.#port = port;
    this.#options = options;
    this.#wakeup = new Wakeup(wakeFd);
    this.#controlQueue = controlQueue;
    this.#plane = new MemoryDataPlane({
      randomness: nodeRandomness(),
      pathMtuBytes: options.pathMtuBytes,
      protocols: ['esp'],
      unknownSpisPerSecondMax,
      makeCipher: openSslPacketCipher,
      ...(options.receivedMarks === undefined
        ? {}
        : { receivedMarks: new ReceivedMarksFile(options.receivedMarks.path, options.receivedMarks.bootId) }),
    });
    this.#memory = new PacketMemory(bytesFor(options));
    this.#delivery = this.#memory.take(deliveryBytes);
    this.#outbound = new OutboundBatch(
      this.#memory,
      () => this.#plane.paddedBytesMax,
      () => this.#sendOutbound(),
    );
    this.#watch(this.#wakeup.fd, () => {
      this.#wakeup.drain();
      this.#takeMessages();
    });
    if (options.tunName !== undefined) {
      const { tun: left } = adopted ?? {};
      const tun = new TunDevice(left?.name ?? options.tunName, this.#memory, left?.fd);
      this.#tun = tun;
      this.#sources.push({ fd: tun.fd, read: () => this.#readTun(tun) });
    }
    const write = (start: number, lengthBytes: number): void => {
      if (this.#tun?.write(start, lengthBytes) !== true) this.#tunDropped++;
    };
    this.#coalescing = new Coalescing(this.#memory, write, { udp: this.#tun?.takesLargeUdp ?? false });
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
      }
    }
    if (options.hip === true) {
      // A thread before this one has left HIP's too: they are opened anew.
      for (const fd of this.#leftSockets.splice(0)) closeDescriptor(fd);
      this.#listenForHip(new HipSockets(options.addresses, options.mark));
    }
  }

  #listenForHip(hip: HipSockets): void {
    this.#hip = hip;
    this.#sockets.push(...hip.all);
    for (const socket of hip.udp) this.#listenForEsp(socket);
    for (const socket of hip.raw) {
      const take = this.#handOverHip.bind(this);
      this.#sources.push({ fd: socket.fd, read: () => hip.receive(socket, take) });
    }
    const watch = new AddressWatch();
    this.#addressWatch = watch;
    this.#watch(watch.fd, () => {
      watch.drain();
      this.#post({ kind: 'addresses-changed' });
    });
  }

  /** What would stay behind if this thread died. */
  get held(): HeldDescriptors {
    return {
      epoll: this.#epoll.fd,
      sockets: this.#sockets.map(({ fd }) => fd),
      ...(this.#tun === undefined ? {} : { tun: { fd: this.#tun.fd, name: this.#tun.name } }),
    };
  }

  #open(address: IpAddress, transport: DatagramTransport): DatagramSocket {
    const socket = new DatagramSocket(address, transport, this.#mark, this.#leftSockets.shift());
    this.#sockets.push(socket);
    return socket;
  }

  run(): void {
    // What was said before anybody listened to the wake-up.
    this.#takeMessages();
    while (this.#running) {
      this.#controlQueue.beat();
      for (const fd of this.#epoll.wait(this.#waitMs())) this.#readers.get(fd)?.();
      for (const fd of this.#epoll.failing) this.#readErrors(this.#icmpErrors.get(fd));
      const at = monotonicMs();
      this.#plane.handleTimeout(at);
      this.#drain();
      if (at >= this.#reportAt) this.#report(at);
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
    this.#addressWatch?.close();
    this.#tun?.close();
    this.#epoll.close();
    this.#wipe();
  }

  #waitMs(): number {
    const deadline = this.#plane.deadline();
    if (deadline === undefined) return waitMsMax;
    return Math.max(0, Math.min(waitMsMax, Math.ceil(deadline - monotonicMs())));
  }

  #watch(fd: number, read: () => void): void {
    this.#readers.set(fd, read);
    this.#epoll.add(fd);
  }

  #listenForEsp(socket: DatagramSocket): void {
    if (socket.transport.kind === 'udp') socket.joinDatagrams();
    this.#icmpErrors.set(socket.fd, new IcmpErrors(socket, true));
    const way = {
      socket,
      sender: new SealedPacketSender(socket),
      batch: new DatagramBatch(socket, this.#memory),
    };
    this.#ways.push(way);
    this.#sources.push({ fd: socket.fd, read: () => this.#receiveEsp(way) });
  }

  /** We have no AH SAs in this thread: whatever comes is evidence. */
  #listenForAh(socket: DatagramSocket): void {
    const batch = new DatagramBatch(socket, this.#memory);
    this.#sources.push({ fd: socket.fd, read: () => this.#receiveAh(socket, batch) });
  }

  #receiveAh(socket: DatagramSocket, batch: DatagramBatch): void {
    const slot = this.#inbound[0];
    slot.evidenceHash = undefined;
    for (let i = 0; i < receivesMax; i++) {
      const count = batch.receive();
      if (count === 0) break;
      const at = monotonicMs();
      for (let datagram = 0; datagram < count; datagram++) {
        batch.readControl(datagram);
        if (!this.#takeAddresses(batch, datagram)) continue;
        slot.protocol = 'ah';
        slot.encapsulated = false;
        slot.start = batch.start(datagram);
        slot.length = batch.length(datagram);
        if (socket.family === 6) writeIpv6Header(slot);
        this.#plane.inboundBatch(this.#inbound, 1, at);
      }
    }
    slot.protocol = 'esp';
    this.#drain();
  }

  /** False if the kernel did not say where the datagram came to. */
  #takeAddresses(batch: DatagramBatch, datagram: number): boolean {
    const slot = this.#inbound[0];
    if (batch.local === undefined) {
      this.#unaddressed++;
      return false;
    }
    slot.buffer = batch.memory.octets;
    slot.local = batch.local;
    slot.remote = batch.remote(datagram);
    slot.trafficClass = batch.trafficClass;
    return true;
  }

  #listenForIke(socket: DatagramSocket): void {
    this.#icmpErrors.set(socket.fd, new IcmpErrors(socket, false));
    const batch = new DatagramBatch(socket, this.#memory);
    this.#sources.push({ fd: socket.fd, read: () => this.#receiveIke(batch) });
  }

  #receiveIke(batch: DatagramBatch): void {
    for (let i = 0; i < receivesMax; i++) {
      const count = batch.receive();
      for (let datagram = 0; datagram < count; datagram++) {
        batch.readControl(datagram);
        if (!this.#takeAddresses(batch, datagram)) continue;
        const { local, remote } = this.#inbound[0];
        const from = batch.start(datagram);
        this.#handOver(local!, remote!, batch.memory.octets.subarray(from, from + batch.length(datagram)));
      }
      if (count === 0) break;
    }
  }

  /** What is said of packets to others than our peers is no hint about anything of ours. */
  #readErrors(errors: IcmpErrors | undefined): void {
    for (let i = 0; i < icmpErrorsMax; i++) {
      const error = errors?.receive();
      if (error === undefined) return;
      if (this.#peers.has(error.quote.destination) && this.#controlQueue.admit(false)) {
        this.#icmpOfPeers++;
        this.#post({ kind: 'icmp-error', error });
      } else this.#icmpIgnored++;
    }
  }

  #receiveEsp({ socket, batch }: Way): void {
    const slot = this.#inbound[0];
    const encapsulated = socket.transport.kind === 'udp';
    for (let i = 0; i < receivesMax; i++) {
      const count = batch.receive();
      if (count === 0) break;
      const at = monotonicMs();
      for (let datagram = 0; datagram < count; datagram++) {
        batch.readControl(datagram);
        if (this.#isDismissed(batch, datagram) || !this.#takeAddresses(batch, datagram)) continue;
        slot.encapsulated = encapsulated;
        const ipHeaderBytes = batch.ipHeaderBytes(datagram);
        slot.hopLimit = ipHeaderBytes === 0 ? 64 : slot.buffer[batch.start(datagram) + 8]!;
        this.#openAll(batch, datagram, ipHeaderBytes, at);
      }
    }
    this.#coalescing.flush();
    this.#drain();
  }

  /** Most packets of a flood are done with here, before anything is made of their addresses. */
  #isDismissed(batch: DatagramBatch, datagram: number): boolean {
    const slot = this.#inbound[0];
    const { octets } = batch.memory;
    const at = batch.start(datagram) + batch.ipHeaderBytes(datagram);
    const to = batch.start(datagram) + batch.length(datagram);
    slot.evidenceHash = undefined;
    // Without a header, or with the marker of IKE, it is something else; joined ones may be of several SAs.
    if (to - at < 8 || batch.segmentBytes !== 0) return false;
    const spi = readU32(octets, at);
    if (spi === 0) return false;
    slot.evidenceHash = Math.imul(batch.remoteHash(datagram) ^ spi, 0x9e37_79b1) >>> 0;
    return this.#plane.dismisses('esp', spi, slot.evidenceHash);
  }

  /**
   * Opens the packets of one datagram, or of several that the kernel joined. One by one: headers made in place may reach
   * into the end of the packet before, which is delivered by then.
   */
  #openAll(batch: DatagramBatch, datagram: number, ipHeaderBytes: number, at: number): void {
    const slot = this.#inbound[0];
    const { octets } = batch.memory;
    const end = batch.start(datagram) + batch.length(datagram);
    let from = batch.start(datagram) + ipHeaderBytes;
    const segmentBytes = batch.segmentBytes === 0 ? end - from : batch.segmentBytes;
    do {
      const to = Math.min(from + segmentBytes, end);
      if (slot.encapsulated && classifyUdpEncapsulated(octets, from, to) === 'ike') {
        const { local, remote } = slot;
        this.#handOver(local!, remote!, octets.subarray(from, to));
      } else {
        slot.start = from;
        slot.length = to - from;
        this.#plane.inboundBatch(this.#inbound, 1, at);
        if (slot.verdict === Verdict.OPENED) {
          if (this.#lsi.active) this.#lsi.inbound(slot);
          this.#coalescing.take(slot.start, slot.length);
        }
      }
      from = to;
    } while (from < end);
  }

  #readTun(tun: TunDevice): void {
    for (let i = 0; i < tunReadsMax; i++) {
      const lengthBytes = tun.read();
      if (lengthBytes === 0) break;
      if (!this.#segmentation.take(tun.start, lengthBytes, this.#outbound)) this.#malformed++;
    }
    this.#sendOutbound();
  }

  #sendOutbound(): void {
    const { slots, count } = this.#outbound;
    if (count === 0) return;
    if (this.#lsi.active) this.#translate(slots, count);
    this.#plane.outboundBatch(slots, count, monotonicMs());
    let local: Endpoint | undefined;
    let encapsulated = false;
    let way: Way | undefined;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (slot.verdict !== Verdict.SEALED) continue;
      // Packets of one SA come in runs.
      if (slot.local !== local || slot.encapsulated !== encapsulated) {
        local = slot.local!;
        encapsulated = slot.encapsulated;
        way = this.#wayFor(encapsulated, local.port, isIpv6(local.address));
      }
      if (way === undefined) this.#noWayOut++;
      else way.sender.add(slot);
    }
    for (const { sender } of this.#ways) sender.flush();
    this.#outbound.reset();
    this.#drain();
  }

  /** What cannot be translated is no packet any more. */
  #translate(slots: readonly PacketSlot[], count: number): void {
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (this.#lsi.outbound(slot)) continue;
      slot.length = 0;
      this.#untranslatable++;
    }
  }

  #takeMessages(): void {
    for (
      let next = receiveMessageOnPort(this.#port);
      next !== undefined;
      next = receiveMessageOnPort(this.#port)
    ) {
      const message: ToPacketThread = next.message;
      switch (message.kind) {
        case 'transmit': {
          const { local, remote, octets } = message;
          this.#udpSocketFor(local.port, isIpv6(local.address))?.send(local.address, remote, octets);
          break;
        }
        case 'hip-transmit':
          this.#hip?.transmit(message.local, message.remote, message.octets);
          break;
        case 'lsis':
          this.#lsi.load(message.table);
          break;
        case 'icmp':
          this.#hip?.complain(message.local, message.remote, message.octets);
          break;
        case 'apply':
          this.#apply(message.id, message.command, message.progress);
          break;
        case 'receive':
          for (const { fd, read } of this.#sources.splice(0)) this.#watch(fd, read);
          break;
        case 'close':
          this.#running = false;
          break;
      }
    }
    // Once for all that went together: there is much to wipe.
    if (this.#wipeDue) this.#wipe();
    this.#wipeDue = false;
  }

  #apply(id: number | undefined, command: SaCommand, progress?: SharedArrayBuffer): void {
    // The last counters of an SA that goes away are told before it does.
    if (command.kind === 'remove') this.#report(monotonicMs());
    const noted = progress === undefined ? undefined : new SaProgress(progress);
    const result = this.#plane.apply(command, monotonicMs(), noted);
    if (result.ok) this.#peers.follow(command);
    if (result.ok && command.kind === 'install') {
      const { protocol, direction, spi, childId } = command.sa;
      this.#known.set(`${direction} ${spi} ${command.sa.remote}`, {
        protocol,
        direction,
        spi,
        childId,
        reportedPackets: 0,
      });
    }
    if (command.kind === 'remove') {
      this.#known.delete(`${command.direction} ${command.spi} ${command.remote}`);
      this.#wipeDue = true;
    }
    if (id !== undefined) this.#post({ kind: 'sa-result', id, result });
    this.#drain();
  }

  /** Nothing of what a dead SA carried stays in memory. */
  #wipe(): void {
    this.#outbound.wipe();
    this.#coalescing.wipe();
    this.#memory.wipe(this.#delivery, deliveryBytes);
    this.#tun?.wipe();
    for (const { batch } of this.#ways) batch.wipe();
  }

  /** Carries out what the data plane asks for besides batches. */
  #drain(): void {
    for (let output = this.#plane.poll(); output !== undefined; output = this.#plane.poll()) {
      switch (output.kind) {
        case 'transmit': {
          const { local, remote, octets, trafficClass } = output;
          const way = this.#wayFor(output.protocol === 'udp', local.port, isIpv6(local.address));
          if (way === undefined) this.#noWayOut++;
          else way.socket.send(local.address, remote, octets, trafficClass);
          break;
        }
        case 'deliver':
          this.#memory.octets.set(output.packet, this.#delivery + virtioNetHeaderBytes);
          this.#coalescing.take(this.#delivery + virtioNetHeaderBytes, output.packet.length);
          this.#coalescing.flush();
          break;
        // The kernel routes into the device only what a tunnel carries: there is no other way out for the rest.
        case 'bypass':
          break;
        case 'event':
          if (output.event.kind !== 'unknown-spi' || this.#controlQueue.admit(true))
            this.#post({ kind: 'event', event: output.event });
          else this.#evidenceRefused++;
          break;
      }
    }
  }

  #wayFor(encapsulated: boolean, port: number, ipv6: boolean): Way | undefined {
    for (const way of this.#ways) {
      const { transport, family } = way.socket;
      if ((family === 6) !== ipv6) continue;
      if (encapsulated ? transport.kind === 'udp' && transport.port === port : transport.kind === 'raw') {
        return way;
      }
    }
    return undefined;
  }

  #udpSocketFor(port: number, ipv6: boolean): DatagramSocket | undefined {
    return this.#sockets.find(
      ({ transport, family }) =>
        (family === 6) === ipv6 && transport.kind === 'udp' && transport.port === port,
    );
  }

  #report(at: number): void {
    this.#reportAt = at + reportIntervalMs;
    const reports: SaReport[] = [];
    for (const sa of this.#known.values()) {
      const counters = this.#plane.counters(sa.protocol, sa.direction, sa.spi);
      if (counters === undefined || counters.packets === sa.reportedPackets) continue;
      sa.reportedPackets = counters.packets;
      const { protocol, direction, spi, childId } = sa;
      reports.push({ protocol, direction, spi, childId, counters });
    }
    const counts = { ...this.#plane.stats().verdicts, ...this.#counts() };
    const sum = Object.values(counts).reduce((total, count) => total + count, 0);
    if (reports.length === 0 && sum === this.#reportedSum) return;
    this.#reportedSum = sum;
    this.#post({ kind: 'reports', reports, verdicts: counts, heapBytes: getHeapStatistics().used_heap_size });
  }

  /** What became of packets that are no matter of the data plane, or were lost on their way to it or from it. */
  #counts(): Record<string, number> {
    return {
      'device-refused': this.#tunDropped,
      'device-malformed': this.#malformed,
      'socket-refused': this.#ways.reduce((sum, { sender }) => sum + sender.dropped, 0),
      'no-socket': this.#noWayOut,
      unaddressed: this.#unaddressed,
      'ike-of-peers': this.#ikeOfPeers,
      'ike-of-strangers': this.#ikeOfStrangers,
      'ike-refused': this.#ikeRefused,
      'lsi-untranslatable': this.#untranslatable,
      'hip-of-peers': this.#hipOfPeers,
      'hip-of-strangers': this.#hipOfStrangers,
      'hip-refused': this.#hipRefused,
      'hip-unsent': this.#hip?.unsent ?? 0,
      'icmp-of-peers': this.#icmpOfPeers,
      'icmp-ignored': this.#icmpIgnored,
      'socket-overflow': this.#sockets.reduce((sum, { overflow }) => sum + overflow, 0),
      'evidence-dropped': this.#plane.stats().unknownSpisDropped + this.#evidenceRefused,
    };
  }

  #post(message: FromPacketThread): void {
    this.#port.postMessage(message);
  }

  /** An IKE datagram for the control thread: dropped while that is behind, those of strangers sooner than our peers'. */
  #handOver(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    if (local.port === hipUdpPort) {
      const packet = removeNonEspMarker(octets);
      if (packet !== undefined) this.#handOverHip(local, remote, packet);
      return;
    }
    const known = this.#peers.has(remote.address);
    if (!this.#controlQueue.admit(known)) {
      this.#ikeRefused++;
      return;
    }
    if (known) this.#ikeOfPeers++;
    else this.#ikeOfStrangers++;
    this.#post({ kind: 'datagram', ofPeer: known, local, remote, octets: octets.slice() });
  }

  /** Like an IKE datagram: what an I1 costs is spent on the control thread. */
  #handOverHip(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    const known = this.#peers.has(remote.address);
    if (!this.#controlQueue.admit(known)) {
      this.#hipRefused++;
      return;
    }
    if (known) this.#hipOfPeers++;
    else this.#hipOfStrangers++;
    this.#post({ kind: 'hip-packet', ofPeer: known, local, remote, octets: octets.slice() });
  }
}
