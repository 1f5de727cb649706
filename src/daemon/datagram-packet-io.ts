// Sockets of node:dgram and the data plane in memory: what a process without privileges can have.
import { createSocket, type Socket } from 'node:dgram';
import { nodeRandomness } from '#crypto';
import { MemoryDataPlane } from '#ipsec';
import { SaReports } from '#linux';
import { type Endpoint, type IpAddress, isIpv6, parseAddress, type SaCommand } from '#sa';
import { classifyUdpEncapsulated } from '#wire';
import type { PacketIo, PacketIoListener } from './packet-io.ts';

/** How often it tells the counters of its SAs. */
export const datagramReportMs = 200;
const receiveBufferBytes = 1 << 20;

export interface DatagramPacketIoOptions {
  /** Addresses of this machine to bind. Each is bound by itself, so that we know where a datagram came to. */
  readonly addresses: readonly IpAddress[];
  readonly ikePort: number;
  readonly natTraversalPort: number;
  readonly pathMtuBytes: number;
  readonly clock: () => number;
  /** Takes the IP packets that come out of a tunnel. */
  readonly deliver: (packet: Uint8Array) => void;
  /** Sees the payload of every datagram before it leaves. */
  readonly sent?: (octets: Uint8Array) => void;
  /** The sockets are bound. */
  readonly bound?: () => void;
}

/** Datagrams that wait for `receive`. */
const waitingMax = 64;

/** Packet IO of an ordinary process: UDP sockets of `node:dgram`, and the data plane in memory. */
export class DatagramPacketIo implements PacketIo {
  readonly tunName: undefined;
  readonly #options: DatagramPacketIoOptions;
  readonly #listener: PacketIoListener;
  readonly #sockets = new Map<string, Socket>();
  readonly #plane: MemoryDataPlane;
  readonly #reports: SaReports;
  readonly #reporter: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] | undefined = [];

  constructor(options: DatagramPacketIoOptions, listener: PacketIoListener) {
    this.#options = options;
    this.#listener = listener;
    this.#plane = new MemoryDataPlane({
      randomness: nodeRandomness(),
      pathMtuBytes: options.pathMtuBytes,
      protocols: ['esp'],
    });
    this.#reports = new SaReports(this.#plane);
    this.#reporter = setInterval(() => this.#report(), datagramReportMs);
    this.#reporter.unref();
  }

  /** @throws the system's error, with its `code`, if a port cannot be bound */
  async listen(): Promise<void> {
    const { addresses, ikePort, natTraversalPort, bound } = this.#options;
    for (const address of addresses) {
      await this.#bind(address, ikePort);
      await this.#bind(address, natTraversalPort);
    }
    bound?.();
  }

  receive(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const take of waiting) take();
  }

  #bind(address: IpAddress, port: number): Promise<void> {
    const socket = createSocket({
      type: isIpv6(address) ? 'udp6' : 'udp4',
      recvBufferSize: receiveBufferBytes,
    });
    const local = { address, port };
    socket.on('message', (octets, { address: from, port: remotePort }) => {
      const remote = parseAddress(from);
      if (remote === undefined) return;
      const take = (): void => this.#receive(local, { address: remote, port: remotePort }, octets);
      if (this.#waiting === undefined) take();
      else if (this.#waiting.length < waitingMax) this.#waiting.push(take);
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, address, () => {
        socket.off('error', reject);
        // An ICMP error of an earlier send says nothing about this socket.
        socket.on('error', () => undefined);
        this.#sockets.set(`${address} ${port}`, socket);
        resolve();
      });
    });
  }

  #receive(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    if (local.port === this.#options.natTraversalPort && classifyUdpEncapsulated(octets) === 'esp') {
      this.#plane.inbound({ local, remote, protocol: 'udp', octets }, this.#options.clock());
      this.#drain();
    } else {
      this.#listener.datagram(local, remote, new Uint8Array(octets));
    }
  }

  /** An IP packet for the tunnel. */
  sendPacket(packet: Uint8Array): void {
    this.#plane.outbound(packet, this.#options.clock());
    this.#drain();
  }

  transmit(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    this.#options.sent?.(octets);
    this.#sockets.get(`${local.address} ${local.port}`)?.send(octets, remote.port, remote.address);
  }

  /** HIP and ICMP need raw sockets, which an ordinary process cannot have. */
  transmitHip(): void {}

  sendIcmp(): void {}

  loadLsis(): void {}

  apply(id: number, command: SaCommand): void {
    // What it carried since the last report would go with it.
    const last = command.kind === 'remove' ? this.#reports.takeLast(command) : undefined;
    if (last !== undefined) this.#listener.reports([last]);
    const result = this.#plane.apply(command, this.#options.clock());
    if (result.ok) this.#reports.follow(command);
    this.#listener.saResult(id, result);
    this.#drain();
  }

  #drain(): void {
    for (let output = this.#plane.poll(); output !== undefined; output = this.#plane.poll()) {
      switch (output.kind) {
        case 'transmit':
          // Native ESP needs a raw socket, which an ordinary process cannot have.
          if (output.protocol === 'udp') this.transmit(output.local, output.remote, output.octets);
          break;
        case 'deliver':
          this.#options.deliver(output.packet);
          break;
        case 'event':
          this.#listener.event(output.event);
          break;
        case 'bypass':
        // There is no other data plane.
        case 'hand-over':
          break;
      }
    }
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const deadline = this.#plane.deadline();
    if (deadline === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#plane.handleTimeout(this.#options.clock());
        this.#drain();
      },
      Math.max(0, deadline - this.#options.clock()),
    );
  }

  #report(): void {
    const reports = this.#reports.take();
    if (reports.length > 0) this.#listener.reports(reports);
    this.#listener.statistics(this.#plane.stats().verdicts);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#reporter);
    await Promise.all(
      [...this.#sockets.values()].map(
        (socket) => new Promise<void>((resolve) => socket.close(() => resolve())),
      ),
    );
  }
}
