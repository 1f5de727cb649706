// Sealed packets of a batch to the kernel: one system call for many, and with UDP_SEGMENT one message for many.
import type { PacketSlot } from '#ipsec';
import { addressBytes, type Endpoint, type IpAddress } from '#sa';
import {
  IP_PKTINFO,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  IPV6_TCLASS,
  MSG_DONTWAIT,
  SOL_UDP,
  UDP_SEGMENT,
} from '../libc/constants.ts';
import { isOfEarlierSend, isWouldBlock, SystemCallError } from '../libc/errno.ts';
import { errno, type PacketCalls, packetCalls } from '../libc/libc.ts';
import { memoryAddress } from '../memory/memory-address.ts';
import type { DatagramSocket } from './datagram-socket.ts';
import { MessageVector } from './message-vector.ts';
import { socketAddress } from './socket-address.ts';

const messagesMax = 64;
const packetsMax = 256;
/** The kernel's limits: UDP_MAX_SEGMENTS, and the largest datagram. */
const segmentsMax = 64;
const messageBytesMax = 65_000;
const addressesMax = 1024;

interface Message {
  local: Endpoint;
  remote: Endpoint;
  trafficClass: number;
  dontFragment: boolean;
  firstVector: number;
  vectors: number;
  segmentBytes: number;
  totalBytes: number;
  /** The last packet was shorter: it must stay the last. */
  closed: boolean;
}

/** One for each socket; holds packets back until `flush`. */
export class SealedPacketSender {
  readonly #calls: PacketCalls = packetCalls();
  readonly #socket: DatagramSocket;
  readonly #vector = new MessageVector(messagesMax, packetsMax);
  readonly #messages: Message[] = [];
  readonly #addresses = new Map<IpAddress, Uint8Array>();
  readonly #remoteNames = new WeakMap<Endpoint, Uint8Array>();
  #count = 0;
  #packets = 0;
  #segmenting: boolean;
  /** Packets that the kernel would not take. */
  dropped = 0;

  constructor(socket: DatagramSocket) {
    this.#socket = socket;
    this.#segmenting = socket.transport.kind === 'udp' && socket.segments;
  }

  /** Holds back the packet in the slot, whose octets must stay where they are until `flush`. */
  add(slot: PacketSlot): void {
    if (this.#packets === packetsMax) this.flush();
    const bytes = slot.length;
    let message = this.#count === 0 ? undefined : this.#messages[this.#count - 1];
    if (message === undefined || !this.#continues(message, slot)) {
      if (this.#count === messagesMax) this.flush();
      message = this.#begin(slot);
    }
    const vector = this.#packets++;
    const address = memoryAddress(slot.buffer) + slot.start;
    this.#vector.setVector(vector, address, bytes);
    message.vectors++;
    message.totalBytes += bytes;
    message.closed = bytes < message.segmentBytes;
  }

  #continues(message: Message, slot: PacketSlot): boolean {
    return (
      this.#segmenting &&
      !message.closed &&
      slot.length <= message.segmentBytes &&
      message.vectors < segmentsMax &&
      message.totalBytes + slot.length <= messageBytesMax &&
      slot.remote === message.remote &&
      slot.local === message.local &&
      slot.trafficClass === message.trafficClass &&
      slot.dontFragment === message.dontFragment
    );
  }

  #begin(slot: PacketSlot): Message {
    const fresh = {
      local: slot.local!,
      remote: slot.remote!,
      trafficClass: slot.trafficClass,
      dontFragment: slot.dontFragment,
      firstVector: this.#packets,
      vectors: 0,
      segmentBytes: slot.length,
      totalBytes: 0,
      closed: false,
    };
    const message = this.#messages[this.#count];
    if (message === undefined) this.#messages.push(fresh);
    else Object.assign(message, fresh);
    return this.#messages[this.#count++]!;
  }

  /** Sends everything held back. What the kernel does not take now is lost and counted. */
  flush(): void {
    for (let i = 0; i < this.#count; i++) this.#write(i, this.#messages[i]!, true);
    let told = false;
    for (let sent = 0; sent < this.#count; ) {
      const address = this.#vector.messageAddress(sent);
      const { dontFragment } = this.#messages[sent]!;
      this.#socket.allowFragments(!dontFragment);
      const messages = this.#alike(sent, dontFragment);
      const result = this.#calls.sendmmsg(this.#socket.fd, address, messages, MSG_DONTWAIT);
      if (result > 0) {
        told = false;
        sent += result;
        continue;
      }
      const code = errno();
      // Told once, and gone by now: the messages themselves were not looked at.
      if (isOfEarlierSend(code) && !told) {
        told = true;
        continue;
      }
      if (isWouldBlock(code)) {
        for (; sent < this.#count; sent++) this.dropped += this.#messages[sent]!.vectors;
      } else {
        this.#refused(sent, new SystemCallError('sendmmsg', code).code);
        sent++;
      }
    }
    this.#socket.restoreWhole();
    this.#count = 0;
    this.#packets = 0;
  }

  /** How many messages from this one on go under the same setting of the socket: mostly all. */
  #alike(from: number, dontFragment: boolean): number {
    let next = from + 1;
    while (next < this.#count && this.#messages[next]!.dontFragment === dontFragment) next++;
    return next - from;
  }

  /** A message that the kernel refuses as a whole may be fine packet by packet, and what is larger than our device carries in pieces. */
  #refused(index: number, code: string): void {
    const message = this.#messages[index]!;
    const tooLarge = code === 'EMSGSIZE';
    if (!tooLarge && (message.vectors === 1 || (code !== 'EINVAL' && code !== 'EIO'))) {
      this.dropped += message.vectors;
      return;
    }
    // The device cannot finish checksums. EINVAL is of older kernels, of segments larger than the device carries.
    if (code === 'EIO') this.#segmenting = false;
    const { firstVector, vectors } = message;
    for (let vector = firstVector; vector < firstVector + vectors; vector++) {
      message.firstVector = vector;
      message.vectors = 1;
      this.#write(index, message, false);
      if (this.#sendOne(index)) continue;
      // The error queue has been told how large it may be.
      this.#socket.allowFragments(true);
      if (!this.#sendOne(index)) this.dropped++;
    }
  }

  #sendOne(index: number): boolean {
    return this.#calls.sendmmsg(this.#socket.fd, this.#vector.messageAddress(index), 1, MSG_DONTWAIT) === 1;
  }

  #write(index: number, message: Message, segmented: boolean): void {
    const vector = this.#vector;
    const nameAt = vector.nameAt(index);
    const nameBytes = this.#writeName(nameAt, message.remote);
    vector.setVectors(index, message.firstVector, message.vectors);
    vector.setLengths(index, nameBytes, this.#writeControl(index, message, segmented));
  }

  #writeName(at: number, remote: Endpoint): number {
    const { names } = this.#vector;
    let name = this.#remoteNames.get(remote);
    if (name === undefined) {
      name = socketAddress(remote);
      this.#remoteNames.set(remote, name);
    }
    names.set(name, at);
    return name.length;
  }

  #writeControl(index: number, message: Message, segmented: boolean): number {
    const { controls } = this.#vector;
    const begin = this.#vector.controlAt(index);
    const local = this.#octetsOf(message.local.address);
    let at = begin;
    if (this.#socket.family === 4) {
      this.#writeControlHeader(at, 12, IPPROTO_IP, IP_PKTINFO);
      controls.fill(0, at + 16, at + 32);
      controls.set(local, at + 20);
      this.#writeControlHeader(at + 32, 4, IPPROTO_IP, IP_TOS);
      this.#vector.controlView.setInt32(at + 48, message.trafficClass, true);
      at += 56;
    } else {
      this.#writeControlHeader(at, 20, IPPROTO_IPV6, IPV6_PKTINFO);
      controls.fill(0, at + 16, at + 40);
      controls.set(local, at + 16);
      this.#writeControlHeader(at + 40, 4, IPPROTO_IPV6, IPV6_TCLASS);
      this.#vector.controlView.setInt32(at + 56, message.trafficClass, true);
      at += 64;
    }
    if (segmented && message.vectors > 1) {
      this.#writeControlHeader(at, 2, SOL_UDP, UDP_SEGMENT);
      this.#vector.controlView.setUint16(at + 16, message.segmentBytes, true);
      at += 24;
    }
    return at - begin;
  }

  #writeControlHeader(at: number, dataBytes: number, level: number, type: number): void {
    const view = this.#vector.controlView;
    view.setUint32(at, 16 + dataBytes, true);
    view.setUint32(at + 4, 0, true);
    view.setInt32(at + 8, level, true);
    view.setInt32(at + 12, type, true);
  }

  #octetsOf(address: IpAddress): Uint8Array {
    let octets = this.#addresses.get(address);
    if (octets === undefined) {
      octets = addressBytes(address);
      if (this.#addresses.size === addressesMax) this.#addresses.clear();
      this.#addresses.set(address, octets);
    }
    return octets;
  }
}
