// ICMP errors about what a socket sent: the kernel keeps them in a queue of their own, with the octets that they quote, and puts
// there, too, what was larger than the device carries.

import { constants } from 'node:os';
import type { TooBig } from '#ipsec';
import { addressFromBytes, type Endpoint, type IpAddress } from '#sa';
import { readU32 } from '#wire';
import {
  IP_PKTINFO,
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  IPV6_RECVERR,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
} from '../libc/constants.ts';
import { attempt, packetCalls, pinned } from '../libc/libc.ts';
import { memoryAddress } from '../memory/memory-address.ts';
import type { DatagramSocket } from './datagram-socket.ts';
import { passedOverMax } from './failed-receive.ts';
import { MessageVector } from './message-vector.ts';
import { readSocketAddress } from './socket-address.ts';

/** One of our packets that an ICMP error quotes, as far as it goes. */
export interface QuotedDatagram {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Of UDP. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** Of ESP or AH, native or in UDP. */
  readonly spi?: number;
  readonly sequence?: number;
}

export interface IcmpError {
  /** Who says so; anybody can. */
  readonly from: IpAddress;
  readonly quote: QuotedDatagram;
}

/** ESP shows its SPI and sequence number in the first octets, AH behind the lengths of its header. */
const espProtocol = 50;
const ahProtocol = 51;
const quoteBytesMax = 64;
const originLocal = 1;
const originIcmp = 2;
const originIcmp6 = 3;
/** struct sock_extended_err, before the address of who complains. */
const extendedErrorBytes = 16;

/** RFC 792, RFC 4443 3.2 */
function isTooBig(origin: number, type: number, code: number): boolean {
  return origin === originIcmp ? type === 3 && code === 4 : origin === originIcmp6 && type === 2;
}

/** Errors that may mean that the peer is not what it was. Packets too large and lifetimes in transit are no such sign. */
function concernsPeer(origin: number, type: number, code: number): boolean {
  if (origin === originIcmp) return (type === 3 && code !== 4) || type === 12;
  return origin === originIcmp6 && (type === 1 || type === 4);
}

/** The error queue of one socket. */
export class IcmpErrors {
  readonly #fd: number;
  readonly #family: DatagramSocket['family'];
  readonly #transport: DatagramSocket['transport'];
  readonly #carriesEsp: boolean;
  readonly #vector = new MessageVector(1, 1);
  readonly #quote: Uint8Array = pinned(quoteBytesMax);
  readonly #calls = packetCalls();
  /** How many errors were read, also those that say nothing about a peer. */
  taken = 0;

  /**
   * From now on the kernel keeps errors for this socket, until they are received or its receive buffer is full.
   * @param carriesEsp of UDP: what begins a datagram may be an SPI
   */
  constructor({ fd, transport, family }: DatagramSocket, carriesEsp: boolean) {
    this.#fd = fd;
    this.#carriesEsp = carriesEsp;
    this.#family = family;
    this.#transport = transport;
    this.listen(true);
    this.#vector.setVector(0, memoryAddress(this.#quote), quoteBytesMax);
    this.#vector.setVectors(0, 0, 1);
  }

  /** False: the kernel keeps no more errors, and forgets those that it has. */
  listen(listens: boolean): void {
    const on = pinned(4);
    on[0] = listens ? 1 : 0;
    if (this.#family === 4) attempt('setsockopt', this.#fd, IPPROTO_IP, IP_RECVERR, on, 4);
    else attempt('setsockopt', this.#fd, IPPROTO_IPV6, IPV6_RECVERR, on, 4);
  }

  /** The next error; `undefined`: there is none. Those that say nothing about a peer are passed over, so many at a time. */
  receive(): IcmpError | TooBig | undefined {
    for (let passedOver = 0; passedOver < passedOverMax; passedOver++) {
      this.#vector.prepareToReceive(0);
      const flags = MSG_ERRQUEUE | MSG_DONTWAIT;
      if (this.#calls.recvmmsg(this.#fd, this.#vector.address, 1, flags, 0) < 1) return undefined;
      this.taken++;
      const error = this.#read();
      if (error !== undefined) return error;
    }
    return undefined;
  }

  #read(): IcmpError | TooBig | undefined {
    const { controls, controlView, names } = this.#vector;
    let source: IpAddress | undefined;
    let from: IpAddress | undefined;
    let mtuBytes: number | undefined;
    const begin = this.#vector.controlAt(0);
    const end = begin + this.#vector.controlLength(0);
    for (let at = begin; at + 16 <= end; ) {
      const length = controlView.getUint32(at, true);
      if (length < 16 || at + length > end) break;
      const level = controlView.getInt32(at + 8, true);
      const type = controlView.getInt32(at + 12, true);
      const data = at + 16;
      if (level === IPPROTO_IP && type === IP_PKTINFO) {
        source = addressFromBytes(controls.slice(data + 8, data + 12));
      } else if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) {
        source = addressFromBytes(controls.slice(data, data + 16));
      } else if (
        (level === IPPROTO_IP && type === IP_RECVERR) ||
        (level === IPPROTO_IPV6 && type === IPV6_RECVERR)
      ) {
        const told = [controls[data + 4]!, controls[data + 5]!, controls[data + 6]!] as const;
        const local =
          told[0] === originLocal && controlView.getUint32(data, true) === constants.errno.EMSGSIZE;
        if (local || isTooBig(...told)) mtuBytes = controlView.getUint32(data + 8, true);
        if (mtuBytes === undefined && !concernsPeer(...told)) return undefined;
        if (!local)
          from = readSocketAddress(controls.subarray(data + extendedErrorBytes, at + length)).address;
      }
      at += (length + 7) & ~7;
    }
    if (mtuBytes !== undefined) return this.#tooBig(from, mtuBytes);
    if (source === undefined || from === undefined) return undefined;
    return { from, quote: this.#quoted(source, readSocketAddress(names)) };
  }

  #tooBig(from: IpAddress | undefined, mtuBytes: number): TooBig {
    const transport = this.#transport;
    const isAh = transport.kind === 'raw' && transport.protocol !== espProtocol;
    const numbers = this.#numbers(isAh ? 4 : 0, this.#vector.received(0));
    const { address: remote } = readSocketAddress(this.#vector.names);
    return {
      ...(from === undefined ? {} : { from }),
      remote,
      protocol: isAh ? 'ah' : 'esp',
      ...numbers,
      mtuBytes,
    };
  }

  /** @param destination where the packet went, as the quote says */
  #quoted(source: IpAddress, destination: Endpoint): QuotedDatagram {
    const lengthBytes = this.#vector.received(0);
    const transport = this.#transport;
    const addresses = { source, destination: destination.address };
    if (transport.kind === 'raw') {
      if (transport.protocol === ahProtocol) return { ...addresses, ...this.#numbers(4, lengthBytes) };
      return transport.protocol === espProtocol
        ? { ...addresses, ...this.#numbers(0, lengthBytes) }
        : addresses;
    }
    const ports = { sourcePort: transport.port, destinationPort: destination.port };
    return { ...addresses, ...ports, ...(this.#carriesEsp ? this.#numbers(0, lengthBytes) : {}) };
  }

  /** Before an IKE message that shares a port with ESP stand four octets of zero: it has no SPI of this kind. */
  #numbers(at: number, lengthBytes: number): { readonly spi?: number; readonly sequence?: number } {
    if (lengthBytes < at + 4) return {};
    const spi = readU32(this.#quote, at);
    if (spi === 0) return {};
    return lengthBytes < at + 8 ? { spi } : { spi, sequence: readU32(this.#quote, at + 4) };
  }
}
