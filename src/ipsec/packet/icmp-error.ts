// ICMP errors towards the source of a packet that may not or cannot leave (RFC 4301 5.1.1, 6.1, 8.2.1, RFC 792, RFC 4443).
import {
  encodeIcmpv4,
  encodeIcmpv6,
  encodeIp,
  FragmentPosition,
  type Icmpv4Message,
  Icmpv4Type,
  Icmpv4Unreachable,
  type Icmpv6Message,
  Icmpv6Unreachable,
  IpProtocol,
  icmpv4QuoteLengthMax,
  icmpv6QuoteLengthMax,
} from '#wire';
import { PacketFields } from './packet-fields.ts';

/** What the source is told. */
export type IcmpError =
  | { readonly kind: 'too-big'; readonly mtuBytes: number }
  | { readonly kind: 'hop-limit' | 'prohibited' };

const noOctets = new Uint8Array(0);

/**
 * The complete IP packet with the error. It comes from the destination of the packet it answers: the data plane need
 * not have an address inside the protected networks, and that one is always within the selectors.
 * @returns `undefined` where RFC 1122 3.2.2 and RFC 4443 2.4(e) forbid an answer
 */
export function icmpErrorAbout(packet: Uint8Array, error: IcmpError): Uint8Array | undefined {
  const fields = new PacketFields();
  if (!fields.read(packet, 0, packet.length)) return undefined;
  const address = (at: number): Uint8Array => packet.subarray(at, at + fields.addressLength);
  // The answer goes the other way.
  const source = address(fields.destinationOffset);
  const destination = address(fields.sourceOffset);
  if (!isAnswerable(packet, fields, source, destination)) return undefined;
  const common = { dscp: 0, ecn: 0, source, destination };
  if (fields.version === 4) {
    const quoted = packet.subarray(0, Math.min(fields.lengthBytes, icmpv4QuoteLengthMax));
    return encodeIp({
      ...common,
      version: 4,
      identification: 0,
      dontFragment: false,
      moreFragments: false,
      fragmentOffset: 0,
      timeToLive: 64,
      protocol: IpProtocol.ICMP,
      options: noOctets,
      payload: encodeIcmpv4(icmpv4Message(error, quoted)),
    });
  }
  const quoted = packet.subarray(0, Math.min(fields.lengthBytes, icmpv6QuoteLengthMax));
  return encodeIp({
    ...common,
    version: 6,
    flowLabel: 0,
    hopLimit: 64,
    extensions: [],
    protocol: IpProtocol.ICMPV6,
    payload: encodeIcmpv6(icmpv6Message(error, quoted), { source, destination }),
  });
}

function icmpv4Message(error: IcmpError, quoted: Uint8Array): Icmpv4Message {
  switch (error.kind) {
    case 'too-big':
      return { kind: 'fragmentation-needed', nextHopMtu: error.mtuBytes, quoted };
    case 'hop-limit':
      return { kind: 'time-exceeded', code: 0, quoted };
    case 'prohibited':
      return { kind: 'destination-unreachable', code: Icmpv4Unreachable.ADMINISTRATIVELY_PROHIBITED, quoted };
  }
}

function icmpv6Message(error: IcmpError, quoted: Uint8Array): Icmpv6Message {
  switch (error.kind) {
    case 'too-big':
      return { kind: 'packet-too-big', code: 0, mtu: error.mtuBytes, quoted };
    case 'hop-limit':
      return { kind: 'time-exceeded', code: 0, quoted };
    case 'prohibited':
      return { kind: 'destination-unreachable', code: Icmpv6Unreachable.ADMINISTRATIVELY_PROHIBITED, quoted };
  }
}

function isAnswerable(packet: Uint8Array, fields: PacketFields, from: Uint8Array, to: Uint8Array): boolean {
  if (fields.fragment === FragmentPosition.nonInitial) return false;
  if (to.every((octet) => octet === 0)) return false;
  if (fields.version === 4) {
    if (to[0]! >= 224 || from[0]! >= 224 || to[0] === 127) return false;
  } else if (to[0] === 0xff || from[0] === 0xff) {
    return false;
  }
  const type = packet[fields.payloadOffset]!;
  if (fields.protocol === IpProtocol.ICMPV6) return type >= 128;
  if (fields.protocol === IpProtocol.ICMP) {
    return type === Icmpv4Type.ECHO_REQUEST || type === Icmpv4Type.ECHO_REPLY;
  }
  return true;
}
