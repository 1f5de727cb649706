// What a network card does for the kernel: large TCP and UDP packets from a TUN device cut into those that fit the path,
// each with its own headers and checksums.
import {
  emptyPacketSelectors,
  finishChecksum,
  IpProtocol,
  PacketVerdict,
  readPacketSelectors,
  readU16,
  readU32,
  sumPseudoHeader,
  sumWords,
  writeU16,
  writeU32,
} from '#wire';
import type { PacketMemory } from '../memory/packet-memory.ts';
import { GsoType, VirtioNetHeader, virtioNetHeaderBytes } from './virtio-net-header.ts';

/** Where packets go. */
export interface SegmentSink {
  readonly memory: PacketMemory;
  /** Room for one packet of the batch; the sink makes some if it is full. Where the packet is to begin. */
  place(lengthBytes: number): number;
}

const tcpChecksumAt = 16;
const udpHeaderBytes = 8;
const udpChecksumAt = 6;
/** TCP flags that belong to the last segment only: FIN and PSH. */
const lastOnly = 0x09;
/** To the first only: CWR (RFC 3168 6.1.2). */
const firstOnly = 0x80;

/** One for each TUN device. */
export class Segmentation {
  readonly #header = new VirtioNetHeader();
  readonly #fields = emptyPacketSelectors();
  /** Sums over the parts of the headers that all segments share. */
  #networkSum = 0;
  #transportSum = 0;

  /**
   * Hands on what one read from the device gave: a virtio header and a packet in the sink's memory.
   * @returns false for something that is no packet and was dropped
   */
  take(from: number, lengthBytes: number, sink: SegmentSink): boolean {
    if (lengthBytes <= virtioNetHeaderBytes) return false;
    const start = from + virtioNetHeaderBytes;
    const end = from + lengthBytes;
    const header = this.#header;
    header.read(sink.memory.octets, from);
    switch (header.gsoType) {
      case GsoType.NONE:
        return this.#whole(start, end, sink);
      case GsoType.TCPV4:
      case GsoType.TCPV6:
        return this.#tcp(start, end, sink);
      case GsoType.UDP_L4:
        return this.#udp(start, end, sink);
      default:
        return false;
    }
  }

  #whole(start: number, end: number, sink: SegmentSink): boolean {
    const { needsChecksum, checksumStart, checksumOffset } = this.#header;
    const length = end - start;
    const at = sink.place(length);
    const { memory } = sink;
    memory.copy(at, start, length);
    if (!needsChecksum) return true;
    const field = checksumStart + checksumOffset;
    // The packet is in its place already; without a checksum its receiver will drop it.
    if (field + 2 > length) return true;
    const sum = finishChecksum(memory.sum(at + checksumStart, at + length));
    // RFC 768: 0 would say that there is none.
    writeU16(memory.octets, at + field, sum === 0 && checksumOffset === udpChecksumAt ? 0xffff : sum);
    return true;
  }

  #tcp(start: number, end: number, sink: SegmentSink): boolean {
    const fields = this.#fields;
    const { memory } = sink;
    const { octets } = memory;
    if (readPacketSelectors(octets, start, end, fields) !== PacketVerdict.ok) return false;
    const transport = fields.payloadOffset;
    if (fields.protocol !== IpProtocol.TCP || transport + 20 > fields.end) return false;
    const transportBytes = (octets[transport + 12]! >>> 4) * 4;
    const data = transport + transportBytes;
    const { gsoBytes } = this.#header;
    if (transportBytes < 20 || data > fields.end || gsoBytes === 0) return false;
    this.#sumSharedHeaders(octets, start, tcpChecksumAt);
    // Without sequence number, flags and checksum.
    this.#transportSum = sumWords(octets, transport, transport + 4, this.#transportSum);
    this.#transportSum = sumWords(octets, transport + 8, transport + 12, this.#transportSum);
    this.#transportSum = sumWords(octets, transport + 14, transport + 16, this.#transportSum);
    this.#transportSum = sumWords(octets, transport + 18, data, this.#transportSum);
    const sequence = readU32(octets, transport + 4);
    const flags = readU16(octets, transport + 12);
    const headerBytes = data - start;
    let from = data;
    let index = 0;
    do {
      const to = Math.min(from + gsoBytes, fields.end);
      const at = sink.place(headerBytes + to - from);
      memory.copy(at, start, headerBytes);
      memory.copy(at + headerBytes, from, to - from);
      this.#writeNetworkLength(octets, start, at, headerBytes + to - from, index);
      const tcp = at + transport - start;
      let own = flags;
      if (index > 0) own &= ~firstOnly;
      if (to < fields.end) own &= ~lastOnly;
      writeU32(octets, tcp + 4, sequence + from - data);
      writeU16(octets, tcp + 12, own);
      const changed = readU16(octets, tcp + 4) + readU16(octets, tcp + 6) + own;
      const sum = this.#transportSum + changed + transportBytes + to - from;
      const checksum = finishChecksum(memory.sum(from, to, sum));
      writeU16(octets, tcp + tcpChecksumAt, checksum);
      from = to;
      index++;
    } while (from < fields.end);
    return true;
  }

  #udp(start: number, end: number, sink: SegmentSink): boolean {
    const fields = this.#fields;
    const { memory } = sink;
    const { octets } = memory;
    if (readPacketSelectors(octets, start, end, fields) !== PacketVerdict.ok) return false;
    const transport = fields.payloadOffset;
    const data = transport + udpHeaderBytes;
    const { gsoBytes } = this.#header;
    if (fields.protocol !== IpProtocol.UDP || data > fields.end || gsoBytes === 0) return false;
    this.#sumSharedHeaders(octets, start, udpChecksumAt);
    this.#transportSum = sumWords(octets, transport, transport + 4, this.#transportSum);
    const headerBytes = data - start;
    let from = data;
    let index = 0;
    do {
      const to = Math.min(from + gsoBytes, fields.end);
      const at = sink.place(headerBytes + to - from);
      memory.copy(at, start, headerBytes);
      memory.copy(at + headerBytes, from, to - from);
      this.#writeNetworkLength(octets, start, at, headerBytes + to - from, index);
      const udp = at + transport - start;
      const bytes = udpHeaderBytes + to - from;
      writeU16(octets, udp + 4, bytes);
      // The length counts twice: in the header and in the pseudo header.
      const sum = this.#transportSum + bytes + bytes;
      const checksum = finishChecksum(memory.sum(from, to, sum));
      writeU16(octets, udp + udpChecksumAt, checksum === 0 ? 0xffff : checksum);
      from = to;
      index++;
    } while (from < fields.end);
    return true;
  }

  /** IPv4's header without length, identification and checksum; the pseudo header without the length. */
  #sumSharedHeaders(octets: Uint8Array, start: number, checksumAt: number): void {
    const { version, protocol, sourceOffset, destinationOffset, payloadOffset, end } = this.#fields;
    const addressBytes = version === 4 ? 4 : 16;
    // RFC 8200 8.1: a routing header may lead to another destination, and the kernel's sum, of the whole length, knows to which.
    this.#transportSum = this.#header.needsChecksum
      ? readU16(octets, payloadOffset + checksumAt) + (~(end - payloadOffset) & 0xffff)
      : sumPseudoHeader(octets, sourceOffset, destinationOffset, addressBytes, protocol, 0);
    if (version !== 4) return;
    const sum = readU16(octets, start) + readU16(octets, start + 6) + readU16(octets, start + 8);
    this.#networkSum = sumWords(octets, start + 12, payloadOffset, sum);
  }

  #writeNetworkLength(octets: Uint8Array, start: number, at: number, bytes: number, index: number): void {
    if (this.#fields.version !== 4) {
      writeU16(octets, at + 4, bytes - 40);
      return;
    }
    const identification = (readU16(octets, start + 4) + index) & 0xffff;
    writeU16(octets, at + 2, bytes);
    writeU16(octets, at + 4, identification);
    writeU16(octets, at + 10, finishChecksum(this.#networkSum + bytes + identification));
  }
}
