// From captured frames to IPsec packets: link layer, IP with its fragments, UDP, and what an ICMP error is about.
import { addressFromBytes, type Endpoint, type IpAddress } from '#sa';
import {
  type CapturePacket,
  classifyUdpEncapsulated,
  decodeAh,
  decodeIp,
  decodeUdp,
  encodeAh,
  type IpPacket,
  IpProtocol,
  locateIpPacket,
  readU16,
  WireError,
} from '#wire';
import type { Sighting } from '../story.ts';
import type { Datagram, DatagramKind } from './datagram.ts';
import { type IcmpReport, icmpReport } from './icmp-report.ts';
import { KnownPorts, looksLikeIke, UdpPort } from './known-ports.ts';
import { type Incomplete, Reassembly } from './reassembly.ts';

/** What becomes of frames. */
export interface DissectorSink {
  datagram(datagram: Datagram): void;
  icmp(report: IcmpReport): void;
  /** The frame cannot be read. */
  unreadable(at: Sighting, error: WireError): void;
  /** The frame holds nothing of ours. */
  other(at: Sighting): void;
  /** Pieces of a datagram never came; `ports` if the first one did and it is UDP. */
  incomplete(
    first: Sighting,
    source: IpAddress,
    destination: IpAddress,
    protocol: number,
    pieces: number,
    ports: readonly [number, number] | undefined,
  ): void;
}

/** A packet on its way through the stages. */
interface Carried {
  readonly at: Sighting;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly fragments: number;
  /** Octets on the wire that the capture did not keep. */
  readonly cutBytes: number;
}

const ours: readonly number[] = [IpProtocol.UDP, IpProtocol.ESP, IpProtocol.AH, IpProtocol.HIP];

export class Dissector {
  readonly #sink: DissectorSink;
  readonly #reassembly: Reassembly;
  readonly #ports = new KnownPorts();

  constructor(sink: DissectorSink) {
    this.#sink = sink;
    this.#reassembly = new Reassembly((what) => this.#incomplete(what));
  }

  frame(at: Sighting, packet: CapturePacket): void {
    try {
      const offset = locateIpPacket(packet.linkType, packet.octets);
      if (offset === undefined) {
        this.#sink.other(at);
        return;
      }
      const ip = decodeIp(packet.octets.subarray(offset), { partial: true, verifyChecksum: false });
      this.#ip(at, ip, Math.max(0, packet.originalLength - packet.octets.length));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#sink.unreadable(at, error);
    }
  }

  /** The capture is over. */
  end(): void {
    this.#reassembly.end();
  }

  #ip(at: Sighting, ip: IpPacket, cutBytes: number): void {
    const piece = fragmentOf(ip);
    const protocol = ip.protocol;
    if (piece === 'unreadable') {
      this.#sink.other(at);
      return;
    }
    const source = addressFromBytes(ip.source);
    const destination = addressFromBytes(ip.destination);
    if (piece === undefined) {
      const carried = { at, source, destination, fragments: 1, cutBytes };
      this.#authenticationHeaders(carried, ip);
      this.#payload(carried, protocol, ip.payload);
      return;
    }
    // Pieces of what is none of ours, or that the capture cut, are not worth their memory.
    if (!ours.includes(protocol) || cutBytes > 0) {
      this.#sink.other(at);
      return;
    }
    const key = `${source} ${destination} ${protocol} ${piece.identification}`;
    const whole = this.#reassembly.add(at, { key, ...piece, octets: ip.payload });
    if (whole === undefined) return;
    const carried = { at, source, destination, fragments: whole.pieces, cutBytes: 0 };
    this.#payload(carried, protocol, whole.octets);
  }

  /** In IPv6 they are extension headers, which are read already. */
  #authenticationHeaders(carried: Carried, ip: IpPacket): void {
    if (ip.version !== 6) return;
    for (const header of ip.extensions) {
      if (header.kind !== 'authentication') continue;
      const octets = encodeAh({ ...header, nextHeader: ip.protocol, payload: new Uint8Array() });
      this.#emit(carried, 'ah', octets, [0, 0], false);
    }
  }

  #payload(carried: Carried, protocol: number, octets: Uint8Array): void {
    switch (protocol) {
      case IpProtocol.UDP:
        this.#udp(carried, octets);
        return;
      case IpProtocol.ESP:
        this.#emit(carried, 'esp', octets, [0, 0], false);
        return;
      case IpProtocol.AH: {
        this.#emit(carried, 'ah', octets, [0, 0], false);
        const { nextHeader, payload } = decodeAh(octets);
        if (nextHeader === IpProtocol.ESP) this.#emit(carried, 'esp', payload, [0, 0], false);
        return;
      }
      case IpProtocol.HIP:
        this.#emit(carried, 'hip', octets, [0, 0], false);
        return;
      case IpProtocol.ICMP:
      case IpProtocol.ICMPV6: {
        const report = icmpReport(carried.at, carried.source, protocol, octets);
        if (report === undefined) this.#sink.other(carried.at);
        else this.#sink.icmp(report);
        return;
      }
      default:
        this.#sink.other(carried.at);
        return;
    }
  }

  #udp(carried: Carried, octets: Uint8Array): void {
    const { sourcePort, destinationPort, payload } = decodeCutUdp(octets, carried.cutBytes > 0);
    const ports = [sourcePort, destinationPort] as const;
    const either = (port: number): boolean => sourcePort === port || destinationPort === port;
    if (either(UdpPort.NAT_TRAVERSAL)) {
      this.#marked(carried, 'ike', payload, ports);
      return;
    }
    if (either(UdpPort.IKE)) {
      this.#emit(carried, 'ike', payload, ports, false);
      return;
    }
    // RFC 5770 5.1: the same marker, with HIP in the place of IKE.
    if (either(UdpPort.HIP)) {
      this.#marked(carried, 'hip', payload, ports);
      return;
    }
    const endpoints = [
      { address: carried.source, port: sourcePort },
      { address: carried.destination, port: destinationPort },
    ] as const;
    if (looksLikeIke(payload)) {
      this.#emit(carried, 'ike', payload, ports, false);
      return;
    }
    if (classifyUdpEncapsulated(payload) === 'ike' && looksLikeIke(payload.subarray(4))) {
      this.#ports.learn(...endpoints);
      this.#marked(carried, 'ike', payload, ports);
      return;
    }
    if (this.#ports.knows(...endpoints)) {
      this.#marked(carried, 'ike', payload, ports);
      return;
    }
    this.#sink.other(carried.at);
  }

  /** Behind a marker of zeros `marked`, else ESP, or a keepalive (RFC 3948 2). */
  #marked(
    carried: Carried,
    marked: 'ike' | 'hip',
    payload: Uint8Array,
    ports: readonly [number, number],
  ): void {
    switch (classifyUdpEncapsulated(payload)) {
      case 'ike':
        this.#emit(carried, marked, payload.subarray(4), ports, true);
        return;
      case 'esp':
        this.#emit(carried, 'esp', payload, ports, true);
        return;
      case 'keepalive':
        this.#emit(carried, 'keepalive', payload, ports, true);
        return;
      case 'short':
        this.#sink.unreadable(carried.at, new WireError('truncated', payload.length, 'UDP.payload'));
        return;
    }
  }

  #emit(
    carried: Carried,
    kind: DatagramKind,
    octets: Uint8Array,
    [sourcePort, destinationPort]: readonly [number, number],
    encapsulated: boolean,
  ): void {
    const source: Endpoint = { address: carried.source, port: sourcePort };
    const destination: Endpoint = { address: carried.destination, port: destinationPort };
    const lengthBytes = octets.length + carried.cutBytes;
    const { at, fragments } = carried;
    this.#sink.datagram({ at, kind, source, destination, encapsulated, octets, lengthBytes, fragments });
  }

  #incomplete({ key, first, pieces, head }: Incomplete): void {
    const [source, destination, protocol] = key.split(' ') as [IpAddress, IpAddress, string];
    const isUdp = Number(protocol) === IpProtocol.UDP;
    const ports =
      isUdp && head !== undefined && head.length >= 4
        ? ([readU16(head, 0), readU16(head, 2)] as const)
        : undefined;
    this.#sink.incomplete(first, source, destination, Number(protocol), pieces, ports);
  }
}

/** Where the packet belongs in a larger one; undefined: it is whole. */
function fragmentOf(
  ip: IpPacket,
): { offset: number; more: boolean; identification: number } | undefined | 'unreadable' {
  if (ip.version === 4) {
    if (ip.fragmentOffset === 0 && !ip.moreFragments) return undefined;
    return { offset: ip.fragmentOffset, more: ip.moreFragments, identification: ip.identification };
  }
  const header = ip.extensions.find(({ kind }) => kind === 'fragment');
  if (header?.kind !== 'fragment') return undefined;
  const { offset, moreFragments, identification } = header;
  if (offset === 0 && !moreFragments) return undefined;
  // What follows a fragment header is the same in all pieces only if no other header does.
  if (header !== ip.extensions.at(-1)) return 'unreadable';
  return { offset, more: moreFragments, identification };
}

/** A frame that the capture cut ends before its UDP length says so. */
function decodeCutUdp(
  octets: Uint8Array,
  cut: boolean,
): { readonly sourcePort: number; readonly destinationPort: number; readonly payload: Uint8Array } {
  if (!cut || octets.length < 8) return decodeUdp(octets);
  return {
    sourcePort: readU16(octets, 0),
    destinationPort: readU16(octets, 2),
    payload: octets.subarray(8),
  };
}
