// UDP and raw ESP/AH sockets that know to which of our addresses a datagram came and can choose from which one it goes.
import { addressBytes, addressFromBytes, type Endpoint, type IpAddress, isIpv6 } from '#sa';
import { attachFilter, attachSteering, detachFilter } from '../filters/socket-filter.ts';
import { filterBySpi, type SpiShare, steeringBySpi } from '../filters/spi-steering.ts';
import {
  AF_INET,
  AF_INET6,
  IP_MTU_DISCOVER,
  IP_PKTINFO,
  IP_PMTUDISC_DONT,
  IP_PMTUDISC_OMIT,
  IP_PMTUDISC_PROBE,
  IP_RECVTOS,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MTU_DISCOVER,
  IPV6_PKTINFO,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  IPV6_V6ONLY,
  SO_MARK,
  SO_MEMINFO,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_RXQ_OVFL,
  SO_SNDBUF,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
  SOL_UDP,
  UDP_GRO,
  UDP_SEGMENT,
} from '../libc/constants.ts';
import { isOfEarlierSend, SystemCallError } from '../libc/errno.ts';
import { addressOf, attempt, errno, must, pinned } from '../libc/libc.ts';
import { isNothingWaiting, passedOverMax } from './failed-receive.ts';
import { MessageHeader } from './message-header.ts';
import {
  readSocketAddress,
  socketAddress,
  socketAddressBytes,
  writeSocketAddress,
} from './socket-address.ts';

const datagramBytesMax = 65_535;
const receiveBufferBytes = 4 << 20;
/** More find no room in a socket: the kernel gives it twice as much, and the smallest packet takes more than 512 octets of that. */
const waitingMax = (2 * receiveBufferBytes) / 512;
/** What SO_MEMINFO gives: words, of which one is SK_MEMINFO_DROPS. */
const memoryInfo = pinned(36);
const memoryInfoDropsAt = 32;

/** A received datagram; `octets` is a view that the next `receive` overwrites. */
export interface ReceivedDatagram {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** DSCP and ECN of the outer header. */
  readonly trafficClass: number;
  readonly octets: Uint8Array;
}

/**
 * What a socket carries: UDP on a port, or an IP protocol as such (50 for ESP, 51 for AH). One of protocol 255 sends packets
 * that have their IP header, and receives none.
 */
export type DatagramTransport =
  | { readonly kind: 'udp'; readonly port: number }
  | { readonly kind: 'raw'; readonly protocol: number };

export interface DatagramSocketOptions {
  /** SO_MARK, so that our own packets can escape the routes into the tunnel; 0 sets none. */
  readonly mark?: number | undefined;
  /**
   * Each datagram has the mark, and the socket has none: what ICMP errors say of the path, the kernel then believes of packets without
   * a mark. Of ESP in UDP that it sends itself it must, for they take the routes without. (Before Linux 5.5 datagrams have none either.)
   */
  readonly marksEach?: boolean | undefined;
  /** The file descriptor of a socket that was bound so already. */
  readonly adopted?: number | undefined;
  /**
   * Of a UDP socket that shares its port with others of this process: how many of these were bound before it. None may be closed
   * while others are to go on. A datagram comes to the one in the place that `SPI % sockets` gives, from the time on when the last
   * of them was bound; IKE and what has no SPI comes to the one in place 0, which gets the port only if nobody has it.
   *
   * After that the kernel gives the port to whoever asks for it with SO_REUSEPORT as the same user (socket(7)), and to nobody
   * else. Such a stranger is given nothing, unless it was there before the last of ours, or is bound to one address where ours
   * serve all of them: then it gets what comes to that.
   */
  readonly place?: number | undefined;
  /** Of a raw socket beside others, to each of which the kernel would give everything. */
  readonly share?: SpiShare | undefined;
}

/** How a datagram is sent. */
export interface SendOptions {
  /** DSCP and ECN. */
  readonly trafficClass?: number;
  /** False: it is too large as a whole, or not at all. */
  readonly fragmentable?: boolean;
}

/** One bound, non-blocking socket of one address family. */
export class DatagramSocket {
  readonly fd: number;
  readonly transport: DatagramTransport;
  readonly family: 4 | 6;
  readonly share: SpiShare | undefined;
  readonly #port: number;
  /** Of each datagram; 0 for none, or that of the socket. */
  readonly #markOfEach: number;
  #overflow = 0;
  /** What the kernel counts as dropped besides: it does not tell what a filter took from what found no room. */
  #otherDrops = 0;
  #filtered = false;
  /** Whether what it sends may be cut on its way, unless told otherwise, and whether it may at the moment. */
  #fragmentable = true;
  #fragmentableNow = true;
  readonly #receiving = new MessageHeader();
  readonly #sending = new MessageHeader();
  readonly #in: Uint8Array = pinned(datagramBytesMax);
  readonly #inAddress: bigint = addressOf(this.#in);
  readonly #out: Uint8Array = pinned(datagramBytesMax);
  readonly #outAddress: bigint = addressOf(this.#out);

  /**
   * Binds `local`; the unspecified address serves all addresses of its family.
   * @throws SystemCallError for example EADDRINUSE, or EPERM without the capability for raw sockets
   */
  constructor(local: IpAddress, transport: DatagramTransport, options: DatagramSocketOptions = {}) {
    const { mark: wanted = 0, marksEach = false, adopted, place, share } = options;
    const mark = marksEach ? 0 : wanted;
    this.#markOfEach = marksEach ? wanted : 0;
    const ipv6 = isIpv6(local);
    this.family = ipv6 ? 6 : 4;
    this.transport = transport;
    this.#port = transport.kind === 'udp' ? transport.port : 0;
    this.share = share;
    if (adopted !== undefined) {
      this.fd = adopted;
      // A version before this one may have left it with a mark.
      if (marksEach) this.#allows(SOL_SOCKET, SO_MARK, 0);
      // What found no room before has been counted by whoever had the socket then.
      this.#otherDrops = this.#drops();
      return;
    }
    const what =
      transport.kind === 'udp' ? `UDP port ${transport.port}` : `IP protocol ${transport.protocol}`;
    const detail = `${what} of ${local}`;
    const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    this.fd =
      transport.kind === 'udp'
        ? must('socket', detail, ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | flags, 0)
        : must('socket', detail, ipv6 ? AF_INET6 : AF_INET, SOCK_RAW | flags, transport.protocol);
    try {
      if (share !== undefined) this.#refuseOthers();
      if (ipv6) {
        // A raw IPv6 socket sees no IPv4, and refuses this option.
        if (transport.kind === 'udp') this.#option(IPPROTO_IPV6, IPV6_V6ONLY, 1, `IPV6_V6ONLY of ${detail}`);
        this.#option(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, `IPV6_RECVPKTINFO of ${detail}`);
        this.#option(IPPROTO_IPV6, IPV6_RECVTCLASS, 1, `IPV6_RECVTCLASS of ${detail}`);
        this.#option(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_DONT, `IPV6_MTU_DISCOVER of ${detail}`);
      } else {
        this.#option(IPPROTO_IP, IP_PKTINFO, 1, `IP_PKTINFO of ${detail}`);
        this.#option(IPPROTO_IP, IP_RECVTOS, 1, `IP_RECVTOS of ${detail}`);
        this.#option(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, `IP_MTU_DISCOVER of ${detail}`);
      }
      // Wildcard sockets must not share their port with another daemon unnoticed: SO_REUSEADDR stays off.
      this.#option(SOL_SOCKET, SO_REUSEADDR, 0, `SO_REUSEADDR of ${detail}`);
      this.#option(SOL_SOCKET, SO_RXQ_OVFL, 1, `SO_RXQ_OVFL of ${detail}`);
      // Beyond the limit for everybody, if we may: a flood must find room while another thread has the processor.
      if (!this.#allows(SOL_SOCKET, SO_RCVBUFFORCE, receiveBufferBytes))
        this.#option(SOL_SOCKET, SO_RCVBUF, receiveBufferBytes, `SO_RCVBUF of ${detail}`);
      this.#option(SOL_SOCKET, SO_SNDBUF, 4 << 20, `SO_SNDBUF of ${detail}`);
      if (mark !== 0) this.#option(SOL_SOCKET, SO_MARK, mark, `SO_MARK of ${detail}`);
      // The first binds without it, so that it fails where anybody has the port.
      if (place !== undefined && place > 0) this.#sharePort(detail);
      const name = socketAddress({ address: local, port: this.#port });
      must('bind', detail, this.fd, name, name.length);
      if (place === 0) this.#sharePort(detail);
      // Of a single one, the kernel takes no program.
      else if (place !== undefined) attachSteering(this.fd, steeringBySpi(place + 1));
    } catch (error) {
      attempt('close', this.fd);
      throw error;
    }
  }

  #sharePort(detail: string): void {
    this.#option(SOL_SOCKET, SO_REUSEPORT, 1, `SO_REUSEPORT of ${detail}`);
  }

  /** A raw socket is given packets from the moment on when it is there: what has come before the filter is thrown away. */
  #refuseOthers(): void {
    this.#detachFilter();
    for (let waiting = 0; waiting < waitingMax && this.receive() !== undefined; waiting++);
  }

  #detachFilter(): void {
    if (this.share === undefined) {
      detachFilter(this.fd);
      return;
    }
    const program = filterBySpi(this.family, this.share);
    try {
      attachFilter(this.fd, program);
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.code !== 'ENOMEM') throw error;
      // The kernel has no room for both. What is others' and comes in between, replay windows and evidence can stand.
      detachFilter(this.fd);
      attachFilter(this.fd, program);
    }
  }

  #allows(level: number, name: number, value: number): boolean {
    const octets = pinned(4);
    new DataView(octets.buffer).setInt32(0, value, true);
    return attempt('setsockopt', this.fd, level, name, octets, 4) === 0;
  }

  #option(level: number, name: number, value: number, detail: string): void {
    const octets = pinned(4);
    new DataView(octets.buffer).setInt32(0, value, true);
    must('setsockopt', detail, this.fd, level, name, octets, 4);
  }

  /**
   * Lets the kernel join datagrams of one length, which only `DatagramBatch` can take apart. False if it cannot.
   */
  joinDatagrams(): boolean {
    return this.#allows(SOL_UDP, UDP_GRO, 1);
  }

  /**
   * From now on nothing that it sends is cut on its way unless that is asked for, and the kernel tells what of it was too large.
   * What it believes of path MTUs itself does not count: anybody can make it believe in smaller ones.
   */
  keepWhole(): void {
    this.#fragmentable = false;
    this.#discover(false);
  }

  /**
   * For what is sent next: whether it may be cut, by us to what our device carries and by routers (IPv6: by us to what the kernel
   * takes for the path). `restoreWhole` is to follow: while it may, the kernel does not tell what was too large.
   */
  allowFragments(fragmentable: boolean): void {
    if (fragmentable !== this.#fragmentableNow) this.#discover(fragmentable);
  }

  restoreWhole(): void {
    this.allowFragments(this.#fragmentable);
  }

  #discover(fragmentable: boolean): void {
    const [level, name, cut] =
      this.family === 4
        ? ([IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT] as const)
        : ([IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_DONT] as const);
    this.#allows(level, name, fragmentable ? cut : IP_PMTUDISC_PROBE);
    this.#fragmentableNow = fragmentable;
  }

  /** Whether the kernel knows how to cut one piece of memory into datagrams of one length. */
  get segments(): boolean {
    return this.#allows(SOL_UDP, UDP_SEGMENT, 0);
  }

  /** Datagrams that found no room in the socket, up to the last one that was received; with a filter none are counted. */
  get overflow(): number {
    return this.#overflow;
  }

  /** @param drops as SO_RXQ_OVFL tells them, a counter of 32 bits */
  noteDrops(drops: number): void {
    if (!this.#filtered) this.#overflow = (drops - this.#otherDrops) >>> 0;
  }

  /**
   * @param program of classic BPF: what it does not let through is gone. Undefined: everything comes again, or all of its share;
   * that is for other programs to see to, too
   * @throws SystemCallError if the kernel does not take it
   */
  filter(program: Uint8Array | undefined): void {
    if (program !== undefined) {
      if (!this.#filtered) this.noteDrops(this.#drops());
      attachFilter(this.fd, program);
      this.#filtered = true;
      return;
    }
    this.#detachFilter();
    this.#otherDrops = (this.#drops() - this.#overflow) >>> 0;
    this.#filtered = false;
  }

  #drops(): number {
    const length = pinned(4);
    new DataView(length.buffer).setInt32(0, memoryInfo.length, true);
    must('getsockopt', 'SO_MEMINFO', this.fd, SOL_SOCKET, SO_MEMINFO, memoryInfo, length);
    return new DataView(memoryInfo.buffer).getUint32(memoryInfoDropsAt, true);
  }

  /** The next datagram, or `undefined` when none is waiting, or behind too many errors. */
  receive(): ReceivedDatagram | undefined {
    const message = this.#receiving;
    for (let passedOver = 0; passedOver < passedOverMax; passedOver++) {
      message.prepare(this.#inAddress, this.#in.length, socketAddressBytes, message.control.length);
      const length = attempt('recvmsg', this.fd, message.header, 0);
      if (length < 0) {
        if (isNothingWaiting('recvmsg', errno())) return undefined;
        continue;
      }
      const { address, trafficClass } = this.#readControl();
      if (address === undefined) continue;
      return {
        local: { address, port: this.#port },
        remote: readSocketAddress(message.name),
        trafficClass,
        octets: this.#in.subarray(this.#headerBytes(), length),
      };
    }
    return undefined;
  }

  /** A raw IPv4 socket shows the IP header too, a raw IPv6 socket does not. */
  #headerBytes(): number {
    return this.transport.kind === 'raw' && this.family === 4 ? (this.#in[0]! & 0x0f) * 4 : 0;
  }

  #readControl(): { address: IpAddress | undefined; trafficClass: number } {
    const { control, controlView, controlLength } = this.#receiving;
    let address: IpAddress | undefined;
    let trafficClass = 0;
    // struct cmsghdr: 8 octets of length, 4 of level, 4 of type, data; the next one is aligned to 8.
    for (let at = 0; at + 16 <= controlLength; ) {
      const length = Number(controlView.getBigUint64(at, true));
      if (length < 16 || at + length > controlLength) break;
      const level = controlView.getInt32(at + 8, true);
      const type = controlView.getInt32(at + 12, true);
      const data = at + 16;
      if (level === IPPROTO_IP && type === IP_PKTINFO)
        address = addressFromBytes(control.slice(data + 8, data + 12));
      if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO)
        address = addressFromBytes(control.slice(data, data + 16));
      if (level === SOL_SOCKET && type === SO_RXQ_OVFL) this.noteDrops(controlView.getUint32(data, true));
      if (level === IPPROTO_IP && type === IP_TOS) trafficClass = control[data]!;
      if (level === IPPROTO_IPV6 && type === IPV6_TCLASS)
        trafficClass = controlView.getInt32(data, true) & 0xff;
      at += (length + 7) & ~7;
    }
    return { address, trafficClass };
  }

  /**
   * Sends one datagram from `local.address`. False when the kernel would not take it (full buffer, no route): the
   * datagram is lost, as it could have been anywhere on its way.
   */
  send(
    local: IpAddress,
    remote: Endpoint,
    octets: Uint8Array,
    { trafficClass = 0, fragmentable = true }: SendOptions = {},
  ): boolean {
    if (octets.length > datagramBytesMax) return false;
    const message = this.#sending;
    this.#out.set(octets);
    const nameBytes = writeSocketAddress(remote, message.name);
    message.prepare(this.#outAddress, octets.length, nameBytes, this.#writeControl(local, trafficClass));
    this.allowFragments(fragmentable);
    const sent =
      attempt('sendmsg', this.fd, message.header, 0) >= 0 ||
      (isOfEarlierSend(errno()) && attempt('sendmsg', this.fd, message.header, 0) >= 0);
    this.restoreWhole();
    return sent;
  }

  #writeControl(local: IpAddress, trafficClass: number): number {
    const { control, controlView } = this.#sending;
    control.fill(0);
    const header = (at: number, dataBytes: number, level: number, type: number): void => {
      controlView.setBigUint64(at, BigInt(16 + dataBytes), true);
      controlView.setInt32(at + 8, level, true);
      controlView.setInt32(at + 12, type, true);
    };
    const bytes = addressBytes(local);
    let end: number;
    if (this.family === 6) {
      header(0, 20, IPPROTO_IPV6, IPV6_PKTINFO);
      control.set(bytes, 16);
      header(40, 4, IPPROTO_IPV6, IPV6_TCLASS);
      controlView.setInt32(56, trafficClass, true);
      end = 64;
    } else {
      header(0, 12, IPPROTO_IP, IP_PKTINFO);
      control.set(bytes, 20);
      header(32, 4, IPPROTO_IP, IP_TOS);
      controlView.setInt32(48, trafficClass, true);
      end = 56;
    }
    if (this.#markOfEach === 0) return end;
    header(end, 4, SOL_SOCKET, SO_MARK);
    controlView.setInt32(end + 16, this.#markOfEach, true);
    return end + 24;
  }

  close(): void {
    attempt('close', this.fd);
  }
}

/** The address the kernel would send from to reach `remote`, or `undefined` without a route. Sends nothing. */
export function sourceAddressFor(remote: Endpoint, mark = 0): IpAddress | undefined {
  const fd = must(
    'socket',
    undefined,
    isIpv6(remote.address) ? AF_INET6 : AF_INET,
    SOCK_DGRAM | SOCK_CLOEXEC,
    0,
  );
  try {
    if (mark !== 0) {
      const octets = pinned(4);
      new DataView(octets.buffer).setInt32(0, mark, true);
      attempt('setsockopt', fd, SOL_SOCKET, SO_MARK, octets, 4);
    }
    const name = socketAddress(remote);
    if (attempt('connect', fd, name, name.length) < 0) return undefined;
    const own = pinned(socketAddressBytes);
    const length = pinned(4);
    new DataView(length.buffer).setUint32(0, own.length, true);
    must('getsockname', undefined, fd, own, length);
    return readSocketAddress(own).address;
  } finally {
    attempt('close', fd);
  }
}
