// A packet of an IPv4 application is too large once it is IPv6: its own stack understands only an error about what it sent.
import { encodeIcmpv4, encodeIp, IpProtocol, readU16, readU32, writeIpv4Checksum, writeU16 } from '#wire';

const ipv4HeaderBytes = 20;
const ipv6HeaderBytes = 40;
/** Type, code, checksum and MTU, behind the IPv6 header. */
const quoteAt = ipv6HeaderBytes + 8;
const packetTooBig = 2;
/** RFC 792: enough to know the flow, and of TCP the sequence number. */
const transportBytes = 8;

/** Where a Packet Too Big of ours quotes the packet that it is about; undefined: it is something else, or quotes too little. */
export function quotedBy(packet: Uint8Array): number | undefined {
  const isOne =
    packet.length >= quoteAt + ipv6HeaderBytes + transportBytes &&
    packet[0]! >>> 4 === 6 &&
    packet[6] === IpProtocol.ICMPV6 &&
    packet[ipv6HeaderBytes] === packetTooBig;
  return isOne ? quoteAt : undefined;
}

/**
 * @param packet of which `quotedBy` tells where the quote is
 * @param source LSI of the application's host, as `destination` is the peer's
 */
export function lsiTooBig(packet: Uint8Array, source: Uint8Array, destination: Uint8Array): Uint8Array {
  const quoted = new Uint8Array(ipv4HeaderBytes + transportBytes);
  quoted[0] = 0x45;
  writeU16(quoted, 2, Math.min(0xffff, ipv4HeaderBytes + readU16(packet, quoteAt + 4)));
  writeU16(quoted, 6, 0x4000);
  quoted[8] = packet[quoteAt + 7]!;
  const next = packet[quoteAt + 6]!;
  quoted[9] = next === IpProtocol.ICMPV6 ? IpProtocol.ICMP : next;
  quoted.set(source, 12);
  quoted.set(destination, 16);
  writeIpv4Checksum(quoted, 0, ipv4HeaderBytes);
  const transportAt = quoteAt + ipv6HeaderBytes;
  quoted.set(packet.subarray(transportAt, transportAt + transportBytes), ipv4HeaderBytes);
  const nextHopMtu =
    Math.min(0xffff, readU32(packet, ipv6HeaderBytes + 4)) - ipv6HeaderBytes + ipv4HeaderBytes;
  return encodeIp({
    ...{ version: 4, dscp: 0, ecn: 0, identification: 0, dontFragment: false, moreFragments: false },
    ...{ fragmentOffset: 0, timeToLive: 64, protocol: IpProtocol.ICMP, options: new Uint8Array(0) },
    source: destination,
    destination: source,
    payload: encodeIcmpv4({ kind: 'fragmentation-needed', nextHopMtu, quoted }),
  });
}
