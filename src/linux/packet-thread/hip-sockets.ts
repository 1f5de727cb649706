// What HIP needs of the network: IP protocol 139, UDP for the NATs on the way, and ICMP to complain with (RFC 7401 5.1, 5.4).
import { type Endpoint, type IpAddress, isIpv6 } from '#sa';
import { addNonEspMarker, hipUdpPort, IpProtocol } from '#wire';
import { ICMP_FILTER, ICMP6_FILTER, IPPROTO_ICMPV6, SOL_RAW } from '../libc/constants.ts';
import { attempt, pinned } from '../libc/libc.ts';
import type { DatagramSocket, DatagramTransport } from '../sockets/datagram-socket.ts';

/** What one socket may deliver before the others get their turn. */
const receivesMax = 32;

/** Takes a HIP packet; its octets are a view that the next one overwrites. */
export type HipPacketSink = (local: Endpoint, remote: Endpoint, octets: Uint8Array) => void;

/** An ICMP socket that only sends: the kernel answers pings, and everything else that comes is somebody else's. */
function silence(socket: DatagramSocket): void {
  const all = pinned(32).fill(0xff);
  if (socket.family === 4) attempt('setsockopt', socket.fd, SOL_RAW, ICMP_FILTER, all, 4);
  else attempt('setsockopt', socket.fd, IPPROTO_ICMPV6, ICMP6_FILTER, all, 32);
}

/** Bound, and nothing is read from them until somebody does. */
export class HipSockets {
  /** HIP right in IP. */
  readonly raw: readonly DatagramSocket[];
  /** HIP behind four zero octets, and ESP (RFC 9028 5.1, 5.11): to be read as IKE's port for NATs is. */
  readonly udp: readonly DatagramSocket[];
  readonly #icmp: readonly DatagramSocket[];
  /** Packets that the kernel would not take, or for which there is no socket. */
  unsent = 0;

  /** @param open throws SystemCallError if one cannot be had; whoever opened the others closes them */
  constructor(
    addresses: readonly IpAddress[],
    open: (address: IpAddress, transport: DatagramTransport) => DatagramSocket,
  ) {
    this.raw = addresses.map((address) => open(address, { kind: 'raw', protocol: IpProtocol.HIP }));
    this.udp = addresses.map((address) => open(address, { kind: 'udp', port: hipUdpPort }));
    this.#icmp = addresses.map((address) =>
      open(address, { kind: 'raw', protocol: isIpv6(address) ? IpProtocol.ICMPV6 : IpProtocol.ICMP }),
    );
    for (const socket of this.#icmp) silence(socket);
  }

  get all(): readonly DatagramSocket[] {
    return [...this.raw, ...this.udp, ...this.#icmp];
  }

  /** Reads HIP packets of one of the raw sockets, so many at a time. */
  receive(socket: DatagramSocket, take: HipPacketSink): void {
    for (let i = 0; i < receivesMax; i++) {
      const packet = socket.receive();
      if (packet === undefined) return;
      const { local, remote, octets } = packet;
      // A raw socket's peer has no port, whatever the kernel writes there: an IPv6 one shows the protocol.
      take(local, { address: remote.address, port: 0 }, octets);
    }
  }

  /** Right in IP if the ports are 0, else in UDP behind the marker. */
  transmit(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    if (local.port === 0) this.#send(this.raw, local.address, remote, octets);
    else if (local.port === hipUdpPort) this.#send(this.udp, local.address, remote, addNonEspMarker(octets));
    else this.unsent++;
  }

  complain(local: IpAddress, remote: IpAddress, octets: Uint8Array): void {
    this.#send(this.#icmp, local, { address: remote, port: 0 }, octets);
  }

  #send(sockets: readonly DatagramSocket[], local: IpAddress, remote: Endpoint, octets: Uint8Array): void {
    const family = isIpv6(remote.address) ? 6 : 4;
    const socket = sockets.find((one) => one.family === family);
    if (socket?.send(local, remote, octets) !== true) this.unsent++;
  }
}
