// ICMP errors about IPsec packets: who says what about which packet.
import { addressFromBytes, type Endpoint, type IpAddress } from '#sa';
import {
  decodeIp,
  Icmpv4Unreachable,
  Icmpv6Unreachable,
  IpProtocol,
  readU16,
  readU32,
  WireError,
} from '#wire';
import type { Sighting } from '../story.ts';
import { UdpPort } from './known-ports.ts';

export interface IcmpReport {
  readonly at: Sighting;
  readonly from: IpAddress;
  readonly meaning:
    | 'port-unreachable'
    | 'protocol-unreachable'
    | 'host-unreachable'
    | 'prohibited'
    | 'too-big'
    | 'time-exceeded'
    | 'parameter-problem';
  /** Of `too-big`; 0 if the router does not say. */
  readonly mtu?: number;
  /** The packet that the error is about. */
  readonly about: {
    readonly source: Endpoint;
    readonly destination: Endpoint;
    readonly what: 'ike' | 'esp' | 'ah' | 'hip';
    readonly spi?: number;
  };
}

/** Undefined unless the message is an error about a packet of ours. Quotes are short, so little of them can be trusted. */
export function icmpReport(
  at: Sighting,
  from: IpAddress,
  protocol: number,
  octets: Uint8Array,
): IcmpReport | undefined {
  if (octets.length < 8) return undefined;
  const meaning = protocol === IpProtocol.ICMP ? meaningOfV4(octets) : meaningOfV6(octets);
  if (meaning === undefined) return undefined;
  const about = quotedPacket(octets.subarray(8));
  if (about === undefined) return undefined;
  if (meaning !== 'too-big') return { at, from, meaning, about };
  const mtu = protocol === IpProtocol.ICMP ? readU16(octets, 6) : readU32(octets, 4);
  return { at, from, meaning, mtu, about };
}

function meaningOfV4(octets: Uint8Array): IcmpReport['meaning'] | undefined {
  const [type, code] = [octets[0], octets[1]];
  if (type === 11) return 'time-exceeded';
  if (type === 12) return 'parameter-problem';
  if (type !== 3) return undefined;
  switch (code) {
    case Icmpv4Unreachable.PORT:
      return 'port-unreachable';
    case Icmpv4Unreachable.PROTOCOL:
      return 'protocol-unreachable';
    case Icmpv4Unreachable.FRAGMENTATION_NEEDED:
      return 'too-big';
    case 9:
    case 10:
    case Icmpv4Unreachable.ADMINISTRATIVELY_PROHIBITED:
      return 'prohibited';
    default:
      return 'host-unreachable';
  }
}

function meaningOfV6(octets: Uint8Array): IcmpReport['meaning'] | undefined {
  const [type, code] = [octets[0], octets[1]];
  if (type === 2) return 'too-big';
  if (type === 3) return 'time-exceeded';
  // RFC 4443 3.4: code 1 is an unknown Next Header, which is IPv6's word for an unreachable protocol.
  if (type === 4) return code === 1 ? 'protocol-unreachable' : 'parameter-problem';
  if (type !== 1) return undefined;
  if (code === Icmpv6Unreachable.PORT) return 'port-unreachable';
  return code === Icmpv6Unreachable.ADMINISTRATIVELY_PROHIBITED ? 'prohibited' : 'host-unreachable';
}

function quotedPacket(quoted: Uint8Array): IcmpReport['about'] | undefined {
  try {
    const ip = decodeIp(quoted, { partial: true, verifyChecksum: false });
    const { protocol, payload } = ip;
    const source = addressFromBytes(ip.source);
    const destination = addressFromBytes(ip.destination);
    const plain = { source: { address: source, port: 0 }, destination: { address: destination, port: 0 } };
    if (protocol === IpProtocol.ESP || protocol === IpProtocol.AH) {
      const esp = protocol === IpProtocol.ESP;
      const at = esp ? 0 : 4;
      const spi = payload.length >= at + 4 ? { spi: readU32(payload, at) } : {};
      return { ...plain, what: esp ? 'esp' : 'ah', ...spi };
    }
    if (protocol === IpProtocol.HIP) return { ...plain, what: 'hip' };
    if (protocol !== IpProtocol.UDP || payload.length < 8) return undefined;
    const ports = [readU16(payload, 0), readU16(payload, 2)] as const;
    const endpoints = {
      source: { address: source, port: ports[0] },
      destination: { address: destination, port: ports[1] },
    };
    if (ports.includes(UdpPort.HIP)) return { ...endpoints, what: 'hip' };
    if (ports.includes(UdpPort.NAT_TRAVERSAL) && payload.length >= 12) {
      const spi = readU32(payload, 8);
      return spi === 0 ? { ...endpoints, what: 'ike' } : { ...endpoints, what: 'esp', spi };
    }
    if (ports.includes(UdpPort.NAT_TRAVERSAL) || ports.includes(UdpPort.IKE)) {
      return { ...endpoints, what: 'ike' };
    }
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
