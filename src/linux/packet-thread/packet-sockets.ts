// The sockets of a packet thread, and what receives from each.
import type { TooBig } from '#ipsec';
import { type IpAddress, isIpv6, type SaProtocol } from '#sa';
import { IpProtocol } from '#wire';
import { PacketMemory } from '../memory/packet-memory.ts';
import { AddressWatch } from '../netlink/address-watch.ts';
import { AhErrors } from '../sockets/ah-errors.ts';
import { DatagramBatch } from '../sockets/datagram-batch.ts';
import {
  DatagramSocket,
  type DatagramSocketOptions,
  type DatagramTransport,
} from '../sockets/datagram-socket.ts';
import { type IcmpError, IcmpErrors } from '../sockets/icmp-errors.ts';
import { AhReceiver } from './arrivals/ah-receiver.ts';
import type { Arrivals } from './arrivals/arrivals.ts';
import { EspReceiver } from './arrivals/esp-receiver.ts';
import { IkeReceiver } from './arrivals/ike-receiver.ts';
import type { PacketThreadOptions } from './control/messages.ts';
import type { Ways } from './departures/ways.ts';
import type { FloodGuard } from './floods/flood-guard.ts';
import { HeardErrors } from './floods/heard-errors.ts';
import { HipSockets } from './hip-sockets.ts';
import type { Holdings } from './holdings.ts';
import type { WatchedDescriptors } from './watched-descriptors.ts';

/** About AH over IPv6, which come to a socket of their own. */
const ahErrorsMax = 16;
const protocolNumbers: Readonly<Record<SaProtocol, number>> = { esp: 50, ah: 51 };
/** IPPROTO_RAW: what is sent has its IP header, and nothing is ever received. */
const withHeader = 255;

export interface PacketSocketsOptions {
  readonly options: PacketThreadOptions;
  readonly memory: PacketMemory;
  readonly watched: WatchedDescriptors;
  readonly arrivals: Arrivals;
  readonly ways: Ways;
  readonly flood: FloodGuard;
  readonly holdings: Holdings;
  readonly place: ThreadPlace;
  /** What became of packets that left. */
  readonly hearError: (error: IcmpError | TooBig) => void;
}

/** Which of how many packet threads it is. */
export interface ThreadPlace {
  readonly thread: number;
  readonly threads: number;
}

export class PacketSockets {
  readonly #of: PacketSocketsOptions;
  readonly #all: DatagramSocket[] = [];
  readonly #errors = new Map<number, HeardErrors>();
  readonly #ahReceivers: AhReceiver[] = [];
  #hip: HipSockets | undefined;
  #addressWatch: AddressWatch | undefined;

  constructor(of: PacketSocketsOptions) {
    this.#of = of;
  }

  /** What they take of the memory for packets. */
  static bytesTaken({ addresses, nativeEsp, hip }: PacketThreadOptions, { thread }: ThreadPlace): number {
    const ofEach = (thread === 0 ? 2 : 1) + (nativeEsp ? 2 : 0) + (hip === true ? 1 : 0);
    return addresses.length * ofEach * PacketMemory.bytesTaken(DatagramBatch.bytes);
  }

  /** Binds them; they are read from once their descriptors are released. @throws SystemCallError if one cannot be had */
  listen(): void {
    const { options, place } = this.#of;
    for (const address of options.addresses) {
      this.#openUdp(address);
      if (options.nativeEsp) this.#openNative(address);
    }
    if (options.hip === true)
      this.#listenForHip(
        new HipSockets(options.addresses, (address, transport) => this.#open(address, transport)),
      );
    // One of several threads is enough to tell.
    if (place.thread === 0) this.#watchAddresses();
  }

  #openUdp(address: IpAddress): void {
    const {
      options: { ikePort, natTraversalPort },
      place: { thread, threads },
    } = this.#of;
    if (thread === 0) this.#listenForIke(this.#open(address, { kind: 'udp', port: ikePort }));
    const group = threads > 1 ? { place: thread } : {};
    const socket = this.#open(address, { kind: 'udp', port: natTraversalPort }, group);
    this.#readErrorsOf(socket, true);
    this.#listenForEsp(socket);
  }

  #openNative(address: IpAddress): void {
    const {
      ways,
      place: { thread, threads },
    } = this.#of;
    const open = (protocol: SaProtocol): DatagramSocket => {
      const share = threads > 1 ? { protocol, place: thread, of: threads } : undefined;
      return this.#open(address, { kind: 'raw', protocol: protocolNumbers[protocol] }, { share });
    };
    const [esp, ah] = [open('esp'), open('ah')];
    // The kernel gives an error to every raw socket that it could be about, and one about AH over IPv6 to none of these.
    if (thread === 0) for (const socket of [esp, ah]) this.#readErrorsOf(socket, true);
    if (thread === 0 && isIpv6(address)) this.#hearAboutAh(address);
    this.#listenForEsp(esp);
    this.#listenForAh(ah);
    const outbound = this.#open(address, { kind: 'raw', protocol: withHeader });
    // Of what it sends it hears what our own device does not carry.
    this.#readErrorsOf(outbound, true);
    this.#of.watched.watchLater(outbound.fd, () => void outbound.receive());
    ways.addAh(outbound);
  }

  #hearAboutAh(address: IpAddress): void {
    const socket = this.#open(address, { kind: 'raw', protocol: IpProtocol.ICMPV6 });
    const errors = new AhErrors(socket);
    this.#of.watched.watchLater(socket.fd, () => {
      for (let i = 0; i < ahErrorsMax; i++) {
        const error = errors.receive();
        if (error === undefined) return;
        this.#of.hearError(error);
      }
    });
  }

  #readErrorsOf(socket: DatagramSocket, carriesEsp: boolean): void {
    this.#errors.set(socket.fd, new HeardErrors(new IcmpErrors(socket, carriesEsp)));
  }

  #open(
    address: IpAddress,
    transport: DatagramTransport,
    options: Pick<DatagramSocketOptions, 'place' | 'share'> = {},
  ): DatagramSocket {
    const { holdings, options: ofThread } = this.#of;
    const adopted = holdings.takeSocket();
    const socket = new DatagramSocket(address, transport, { ...options, mark: ofThread.mark, adopted });
    this.#all.push(socket);
    if (adopted === undefined) holdings.addSocket(socket.fd);
    return socket;
  }

  #listenForIke(socket: DatagramSocket): void {
    const { arrivals, memory, watched } = this.#of;
    this.#readErrorsOf(socket, false);
    const receiver = new IkeReceiver(arrivals, socket, memory);
    watched.watchLater(socket.fd, () => receiver.receive());
  }

  #listenForEsp(socket: DatagramSocket): void {
    const { arrivals, ways, flood, watched } = this.#of;
    const gate = flood.add(socket, 'esp');
    const receiver = new EspReceiver(arrivals, ways.addEsp(socket), gate);
    watched.watchLater(socket.fd, () => receiver.receive());
  }

  #listenForAh(socket: DatagramSocket): void {
    const { arrivals, memory, flood, watched } = this.#of;
    const gate = flood.add(socket, 'ah');
    const receiver = new AhReceiver(arrivals, socket, memory, gate);
    this.#ahReceivers.push(receiver);
    watched.watchLater(socket.fd, () => receiver.receive());
  }

  #listenForHip(hip: HipSockets): void {
    const { watched, arrivals } = this.#of;
    const { control } = arrivals;
    this.#hip = hip;
    for (const socket of hip.udp) {
      this.#readErrorsOf(socket, true);
      this.#listenForEsp(socket);
    }
    for (const socket of hip.raw) {
      watched.watchLater(socket.fd, () =>
        hip.receive(socket, (local, remote, octets) => control.hipPacket(local, remote, octets)),
      );
    }
  }

  #watchAddresses(): void {
    const { watched, arrivals, holdings } = this.#of;
    const { control } = arrivals;
    const watch = new AddressWatch();
    this.#addressWatch = watch;
    holdings.addOwn(watch.fd);
    watched.watch(watch.fd, () => {
      watch.drain();
      control.post({ kind: 'addresses-changed' });
    });
  }

  get hip(): HipSockets | undefined {
    return this.#hip;
  }

  /** Datagrams that found no room in a socket. */
  get overflow(): number {
    return this.#all.reduce((sum, { overflow }) => sum + overflow, 0);
  }

  udp(port: number, ipv6: boolean): DatagramSocket | undefined {
    return this.#all.find(
      ({ transport, family }) =>
        (family === 6) === ipv6 && transport.kind === 'udp' && transport.port === port,
    );
  }

  /** What became of packets that left by a socket, some at a time. @param at monotonic milliseconds */
  readErrors(fd: number, at: number): void {
    this.#errors.get(fd)?.read(at, this.#of.hearError);
  }

  /** Tells the time, in monotonic milliseconds. */
  advance(at: number): void {
    for (const errors of this.#errors.values()) errors.advance(at);
  }

  /** How often nobody listened to ICMP errors, for they were too many. */
  get errorFloods(): number {
    return [...this.#errors.values()].reduce((sum, { floods }) => sum + floods, 0);
  }

  /** Forgets the octets of all packets, but of those that come by `Ways`. */
  wipe(): void {
    for (const receiver of this.#ahReceivers) receiver.wipe();
  }

  close(): void {
    for (const socket of this.#all) socket.close();
    this.#addressWatch?.close();
  }
}
