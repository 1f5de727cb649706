// Many datagrams with one system call, and with UDP_GRO many in one: received in place, with their addresses.
import { addressFromBytes, type Endpoint } from '#sa';
import {
  IP_PKTINFO,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  IPV6_TCLASS,
  MSG_DONTWAIT,
  SO_RXQ_OVFL,
  SOL_SOCKET,
  SOL_UDP,
  UDP_GRO,
} from '../libc/constants.ts';
import { errno, type PacketCalls, packetCalls } from '../libc/libc.ts';
import { PacketMemory } from '../memory/packet-memory.ts';
import type { DatagramSocket } from './datagram-socket.ts';
import { isNothingWaiting, passedOverMax } from './failed-receive.ts';
import { MessageVector } from './message-vector.ts';
import {
  foldedSocketAddress,
  readSocketAddress,
  socketAddressBytes,
  socketAddressHash,
} from './socket-address.ts';

/** Free octets before each datagram, for headers that are made in place. */
const headroomBytes = 64;
const datagramBytesMax = 65_535;
const strideBytes = headroomBytes + datagramBytesMax + 1;
const datagramsMax = 32;

/** An endpoint, remembered with the octets it was read from: packets of one peer come in long runs. */
class LastEndpoint {
  readonly #octets: Uint8Array;
  #known: Endpoint | undefined;

  constructor(bytes: number) {
    this.#octets = new Uint8Array(bytes);
  }

  read(from: Uint8Array, at: number, make: (octets: Uint8Array) => Endpoint): Endpoint {
    const own = this.#octets;
    let i = 0;
    while (i < own.length && own[i] === from[at + i]) i++;
    if (i < own.length || this.#known === undefined) {
      own.set(from.subarray(at, at + own.length));
      this.#known = make(own);
    }
    return this.#known;
  }
}

/** One reusable batch for one socket. */
export class DatagramBatch {
  static readonly bytes: number = datagramsMax * strideBytes;
  static readonly datagramsMax: number = datagramsMax;
  readonly memory: PacketMemory;
  readonly #at: number;
  readonly #calls: PacketCalls = packetCalls();
  readonly #socket: DatagramSocket;
  readonly #fd: number;
  readonly #port: number;
  readonly #hasIpHeader: boolean;
  readonly #vector = new MessageVector(datagramsMax, datagramsMax);
  /** Octets of each datagram's room that something was received into since they were wiped. */
  readonly #used = new Uint32Array(datagramsMax);
  /** So many messages say what the kernel has put there, and not how much room there is. */
  #filled = datagramsMax;
  readonly #lastRemote = new LastEndpoint(socketAddressBytes);
  readonly #lastLocal: LastEndpoint;
  #local: Endpoint | undefined;
  #trafficClass = 0;
  #segmentBytes = 0;

  /** @param memory of which it takes `bytes` */
  constructor(socket: DatagramSocket, memory: PacketMemory = new PacketMemory(DatagramBatch.bytes)) {
    this.memory = memory;
    this.#at = memory.take(DatagramBatch.bytes);
    const { fd, transport, family } = socket;
    this.#socket = socket;
    this.#fd = fd;
    this.#port = transport.kind === 'udp' ? transport.port : 0;
    this.#hasIpHeader = transport.kind === 'raw' && family === 4;
    this.#lastLocal = new LastEndpoint(family === 4 ? 4 : 16);
    for (let i = 0; i < datagramsMax; i++) {
      this.#vector.setVector(i, memory.address + this.start(i), datagramBytesMax);
      this.#vector.setVectors(i, i, 1);
    }
  }

  /** How many datagrams came; 0 when none is waiting, or behind too many errors. */
  receive(): number {
    for (let passedOver = 0; passedOver < passedOverMax; passedOver++) {
      for (let i = 0; i < this.#filled; i++) this.#vector.prepareToReceive(i);
      this.#filled = 0;
      const count = this.#calls.recvmmsg(this.#fd, this.#vector.address, datagramsMax, MSG_DONTWAIT, 0);
      if (count >= 0) {
        this.#filled = count;
        for (let i = 0; i < count; i++) this.#used[i] = Math.max(this.#used[i]!, this.length(i));
        return count;
      }
      if (isNothingWaiting('recvmmsg', errno())) return 0;
    }
    return 0;
  }

  start(index: number): number {
    return this.#at + index * strideBytes + headroomBytes;
  }

  length(index: number): number {
    return this.#vector.received(index);
  }

  /** A raw IPv4 socket shows the IP header too, a raw IPv6 socket does not. */
  ipHeaderBytes(index: number): number {
    return this.#hasIpHeader ? (this.memory.octets[this.start(index)]! & 0x0f) * 4 : 0;
  }

  /** `socketAddressHash` of where a datagram came from. */
  remoteHash(index: number): number {
    return socketAddressHash(this.#vector.names, this.#vector.nameAt(index), this.#socket.family);
  }

  /** `foldedAddress` of where a datagram came from. */
  foldedRemote(index: number): number {
    return foldedSocketAddress(this.#vector.names, this.#vector.nameAt(index), this.#socket.family);
  }

  remote(index: number): Endpoint {
    const at = this.#vector.nameAt(index);
    return this.#lastRemote.read(this.#vector.names, at, (octets) => {
      const { address, port } = readSocketAddress(octets);
      return { address, port: this.#port === 0 ? 0 : port };
    });
  }

  /** Reads what the kernel says besides; the properties below then are those of this datagram. */
  readControl(index: number): void {
    const vector = this.#vector;
    const { controls, controlView } = vector;
    const end = vector.controlAt(index) + vector.controlLength(index);
    this.#local = undefined;
    this.#trafficClass = 0;
    this.#segmentBytes = 0;
    // struct cmsghdr: 8 octets of length, 4 of level, 4 of type, data; the next one is aligned to 8.
    for (let at = vector.controlAt(index); at + 16 <= end; ) {
      const length = controlView.getUint32(at, true);
      if (length < 16 || at + length > end) break;
      const level = controlView.getInt32(at + 8, true);
      const type = controlView.getInt32(at + 12, true);
      const data = at + 16;
      if (level === IPPROTO_IP && type === IP_PKTINFO) this.#readLocal(data + 8);
      else if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) this.#readLocal(data);
      else if (level === IPPROTO_IP && type === IP_TOS) this.#trafficClass = controls[data]!;
      else if (level === IPPROTO_IPV6 && type === IPV6_TCLASS) this.#trafficClass = controls[data]!;
      else if (level === SOL_UDP && type === UDP_GRO) this.#segmentBytes = controlView.getUint16(data, true);
      else if (level === SOL_SOCKET && type === SO_RXQ_OVFL)
        this.#socket.noteDrops(controlView.getUint32(data, true));
      at += (length + 7) & ~7;
    }
  }

  #readLocal(at: number): void {
    this.#local = this.#lastLocal.read(this.#vector.controls, at, (octets) => ({
      address: addressFromBytes(octets),
      port: this.#port,
    }));
  }

  get local(): Endpoint | undefined {
    return this.#local;
  }

  /** DSCP and ECN of the outer header. */
  get trafficClass(): number {
    return this.#trafficClass;
  }

  /** Length of all but the last of the datagrams that the kernel joined; 0 if there is but one. */
  get segmentBytes(): number {
    return this.#segmentBytes;
  }

  /** Forgets the octets of all datagrams. */
  wipe(): void {
    for (let i = 0; i < datagramsMax; i++) {
      // Headers are made in place before a packet.
      this.memory.wipe(this.start(i) - headroomBytes, headroomBytes + this.#used[i]!);
      this.#used[i] = 0;
    }
  }
}
