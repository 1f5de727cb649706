// A netlink socket of any family: requests, dumps, and what the kernel tells of its own accord.
import { constants } from 'node:os';
import {
  decodeNetlinkMessages,
  decodeNetlinkOutcome,
  encodeNetlinkMessage,
  NetlinkFlag,
  type NetlinkMessage,
} from '#wire';
import {
  AF_NETLINK,
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_NETLINK,
  SOL_SOCKET,
} from '../libc/constants.ts';
import { isWouldBlock, SystemCallError } from '../libc/errno.ts';
import { attempt, errno, must, pinned } from '../libc/libc.ts';

/** What is asked of the kernel; the socket numbers it. */
export type NetlinkRequest = Pick<NetlinkMessage, 'type' | 'flags' | 'payload'>;

/** The kernel fills no more than 32 KiB of one datagram, whatever the room. */
const receiveBytesMax = 64 << 10;
const socketAddressBytes = 12;
/** For what is told in a burst: of SAs, the kernel's own measure has room for 166. */
const waitingBytesMax = 4 << 20;

/**
 * One socket. The kernel carries out a request before `send` returns and its answer waits then, so nothing here is
 * asynchronous. Not for a socket that asks and listens at once: whoever listens opens one for it.
 */
export class NetlinkSocket {
  /** Readable when something waits for `receive`. */
  readonly fd: number;
  readonly #in: Uint8Array = pinned(receiveBytesMax);
  /** What of it may hold something, perhaps keys. */
  #filledBytes = 0;
  #sequence = 0;

  /**
   * @param family for example NETLINK_ROUTE
   * @param groups numbers of the multicast groups to listen to
   * @throws SystemCallError for example EPROTONOSUPPORT if this kernel has not got the family
   */
  constructor(family: number, groups: readonly number[] = []) {
    const detail = `netlink family ${family}`;
    this.fd = must('socket', detail, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, family);
    try {
      // Kernels before 4.12 do not explain errors. The errno alone will do.
      this.#option(NETLINK_EXT_ACK, 1);
      this.#option(NETLINK_CAP_ACK, 1);
      const address = pinned(socketAddressBytes);
      new DataView(address.buffer).setUint16(0, AF_NETLINK, true);
      must('bind', detail, this.fd, address, address.length);
      if (groups.length > 0 && !this.#option(SO_RCVBUFFORCE, waitingBytesMax, SOL_SOCKET))
        this.#option(SO_RCVBUF, waitingBytesMax, SOL_SOCKET);
      for (const group of groups) {
        if (!this.#option(NETLINK_ADD_MEMBERSHIP, group))
          throw new SystemCallError('setsockopt', errno(), `group ${group} of ${detail}`);
      }
    } catch (error) {
      attempt('close', this.fd);
      throw error;
    }
  }

  #option(name: number, value: number, level = SOL_NETLINK): boolean {
    const octets = pinned(4);
    new DataView(octets.buffer).setInt32(0, value, true);
    return attempt('setsockopt', this.fd, level, name, octets, 4) === 0;
  }

  /** For families that know it: dumps are of exactly what is asked for. False if this kernel cannot. */
  setOption(name: number): boolean {
    return this.#option(name, 1);
  }

  /**
   * Carries out one request and returns what the kernel answers before it says that it is done: nothing after a change,
   * one message after a question, many after a dump.
   * @param what the request's name, for errors
   * @throws SystemCallError with the kernel's errno and what it says; WireError if it answers something else
   */
  request(what: string, { type, flags, payload }: NetlinkRequest): NetlinkMessage[] {
    this.#sequence = (this.#sequence + 1) >>> 0;
    const sequence = this.#sequence;
    const octets = encodeNetlinkMessage({
      type,
      flags: flags | NetlinkFlag.REQUEST | NetlinkFlag.ACK,
      sequence,
      portId: 0,
      payload,
    });
    try {
      must('write', what, this.fd, octets, octets.length);
      return this.#answer(what, sequence);
    } finally {
      octets.fill(0);
      this.#forget();
    }
  }

  #answer(what: string, sequence: number): NetlinkMessage[] {
    const answer: NetlinkMessage[] = [];
    for (;;) {
      const messages = this.receive();
      if (messages === undefined) throw new SystemCallError(what, constants.errno.ENODATA, 'no answer');
      for (const message of messages) {
        // Of a request that was given up half-way.
        if (message.sequence !== sequence) continue;
        const outcome = decodeNetlinkOutcome(message);
        if (outcome === undefined) answer.push({ ...message, payload: message.payload.slice() });
        else if (outcome.errno === 0) return answer;
        else throw new SystemCallError(what, outcome.errno, outcome.text);
      }
    }
  }

  #forget(): void {
    this.#in.fill(0, 0, this.#filledBytes);
    this.#filledBytes = 0;
  }

  /**
   * The messages of the next datagram, or undefined when none is waiting. Payloads are views that the next call
   * wipes.
   * @throws SystemCallError ENOBUFS when messages were lost for want of room; the socket goes on after that
   */
  receive(): NetlinkMessage[] | undefined {
    this.#forget();
    const length = attempt('read', this.fd, this.#in, this.#in.length);
    if (length >= 0) {
      this.#filledBytes = length;
      return decodeNetlinkMessages(this.#in.subarray(0, length));
    }
    const code = errno();
    if (isWouldBlock(code)) return undefined;
    throw new SystemCallError('read', code, 'netlink');
  }

  close(): void {
    attempt('close', this.fd);
  }
}
