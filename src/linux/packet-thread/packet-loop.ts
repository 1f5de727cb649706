// The packet thread's loop: sockets and TUN on one side, the data plane on the other, never an event loop of its own.
import type { MessagePort } from 'node:worker_threads';
import { receiveMessageOnPort } from 'node:worker_threads';
import { nodeRandomness } from '#crypto';
import { MemoryDataPlane } from '#ipsec';
import { isIpv6, type SaCommand, type SaDirection, type SaProtocol, type Spi } from '#sa';
import { classifyUdpEncapsulated } from '#wire';
import { monotonicMs } from '../clock.ts';
import { DatagramSocket, type ReceivedDatagram } from '../datagram-socket.ts';
import { Epoll, Wakeup } from '../epoll.ts';
import { openSslPacketCipher } from '../openssl/packet-cipher.ts';
import { TunDevice } from '../tun-device.ts';
import type { FromPacketThread, PacketThreadOptions, SaReport, ToPacketThread } from './messages.ts';

/** An unbounded wait would keep the process from ending. */
const waitMsMax = 500;
/** How many packets one source may deliver before the others get their turn. */
const batchMax = 64;
const reportIntervalMs = 1_000;
const espProtocol = 50;

interface KnownSa {
  readonly protocol: SaProtocol;
  readonly direction: SaDirection;
  readonly spi: Spi;
  readonly childId: number;
  reportedPackets: number;
}

/** Runs until told to close. @throws SystemCallError if a socket or the device cannot be had */
export class PacketLoop {
  readonly #port: MessagePort;
  readonly #wakeup: Wakeup;
  readonly #epoll = new Epoll();
  readonly #sockets: DatagramSocket[] = [];
  readonly #readers = new Map<number, () => void>();
  readonly #tun: TunDevice | undefined;
  readonly #plane: MemoryDataPlane;
  readonly #known = new Map<string, KnownSa>();
  #reportAt = 0;
  #running = true;

  constructor(port: MessagePort, wakeFd: number, options: PacketThreadOptions) {
    this.#port = port;
    this.#wakeup = new Wakeup(wakeFd);
    this.#plane = new MemoryDataPlane({
      randomness: nodeRandomness(),
      pathMtuBytes: options.pathMtuBytes,
      protocols: ['esp'],
      makeCipher: openSslPacketCipher,
    });
    this.#watch(this.#wakeup.fd, () => this.#wakeup.drain());
    for (const address of options.addresses) {
      for (const port of [options.ikePort, options.natTraversalPort]) {
        const socket = new DatagramSocket(address, { kind: 'udp', port }, options.mark);
        this.#listen(socket, port === options.natTraversalPort ? 'shared' : 'ike');
      }
      if (options.nativeEsp) {
        const socket = new DatagramSocket(address, { kind: 'raw', protocol: espProtocol }, options.mark);
        this.#listen(socket, 'esp');
      }
    }
    if (options.tunName !== undefined) {
      const tun = new TunDevice(options.tunName);
      this.#tun = tun;
      this.#watch(tun.fd, () => this.#readTun(tun));
    }
  }

  get tunName(): string | undefined {
    return this.#tun?.name;
  }

  run(): void {
    while (this.#running) {
      for (const fd of this.#epoll.wait(this.#waitMs())) this.#readers.get(fd)?.();
      this.#takeMessages();
      const at = monotonicMs();
      this.#plane.handleTimeout(at);
      this.#drain();
      if (at >= this.#reportAt) this.#report(at);
    }
    for (const socket of this.#sockets) socket.close();
    this.#tun?.close();
    this.#epoll.close();
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

  #listen(socket: DatagramSocket, carries: 'ike' | 'shared' | 'esp'): void {
    this.#sockets.push(socket);
    this.#watch(socket.fd, () => {
      for (let i = 0; i < batchMax; i++) {
        const datagram = socket.receive();
        if (datagram === undefined) break;
        this.#receive(datagram, carries);
        this.#drain();
      }
    });
  }

  #receive(datagram: ReceivedDatagram, carries: 'ike' | 'shared' | 'esp'): void {
    const { local, remote, octets, trafficClass } = datagram;
    const isEsp = carries === 'esp' || (carries === 'shared' && classifyUdpEncapsulated(octets) === 'esp');
    if (isEsp) {
      const protocol = carries === 'esp' ? 'esp' : 'udp';
      this.#plane.inbound({ local, remote, protocol, octets, trafficClass }, monotonicMs());
    } else {
      this.#post({ kind: 'datagram', local, remote, octets: octets.slice() });
    }
  }

  #readTun(tun: TunDevice): void {
    for (let i = 0; i < batchMax; i++) {
      const packet = tun.read();
      if (packet === undefined) break;
      this.#plane.outbound(packet, monotonicMs());
      this.#drain();
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
        case 'transmit':
          this.#socketFor('udp', message.local.port, isIpv6(message.local.address))?.send(
            message.local.address,
            message.remote,
            message.octets,
          );
          break;
        case 'apply':
          this.#apply(message.id, message.command);
          break;
        case 'close':
          this.#running = false;
          break;
      }
    }
  }

  #apply(id: number, command: SaCommand): void {
    // The last counters of an SA that goes away are told before it does.
    if (command.kind === 'remove') this.#report(monotonicMs());
    const result = this.#plane.apply(command, monotonicMs());
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
    if (command.kind === 'remove')
      this.#known.delete(`${command.direction} ${command.spi} ${command.remote}`);
    this.#post({ kind: 'sa-result', id, result });
    this.#drain();
  }

  #drain(): void {
    for (let output = this.#plane.poll(); output !== undefined; output = this.#plane.poll()) {
      switch (output.kind) {
        case 'transmit': {
          const { local, remote, octets, trafficClass } = output;
          const socket = this.#socketFor(output.protocol, local.port, isIpv6(local.address));
          socket?.send(local.address, remote, octets, trafficClass);
          break;
        }
        case 'deliver':
          this.#tun?.write(output.packet);
          break;
        // The kernel routes into the device only what a tunnel carries: there is no other way out for the rest.
        case 'bypass':
          break;
        case 'event':
          this.#post({ kind: 'event', event: output.event });
          break;
      }
    }
  }

  #socketFor(protocol: 'udp' | 'esp' | 'ah', port: number, ipv6: boolean): DatagramSocket | undefined {
    return this.#sockets.find(
      ({ transport, family }) =>
        (family === 6) === ipv6 &&
        (transport.kind === 'udp' ? protocol === 'udp' && transport.port === port : protocol === 'esp'),
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
    if (reports.length > 0) this.#post({ kind: 'reports', reports, verdicts: this.#plane.stats().verdicts });
  }

  #post(message: FromPacketThread): void {
    this.#port.postMessage(message);
  }
}
