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
import { GsoType, VirtioNetHeader, virtioNetHeaderBytes } from './virtio-net-header.ts';
import { type Words, wordSum } from './word-sum.ts';

/** Where packets go. */
export interface SegmentSink {
  readonly memory: Words;
  /**
   * Room for one packet of the batch; the sink makes some if it is full.
   * @param alignedAt octet of the packet that should lie at a multiple of four
   * @returns where the packet begins
   */
  place(lengthBytes: number, alignedAt: number): number;
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
   * Hands on what one read from the device gave: a virtio header and a packet.
   * @returns false for something that is no packet and was dropped
   */
  take(octets: Uint8Array, lengthBytes: number, sink: SegmentSink): boolean {
    const start = virtioNetHeaderBytes;
    if (lengthBytes <= start) return false;
    const header = this.#header;
    header.read(octets, 0);
    switch (header.gsoType) {
      case GsoType.NONE:
        return this.#whole(octets, start, lengthBytes, sink);
      case GsoType.TCPV4:
      case GsoType.TCPV6:
        return this.#tcp(octets, start, lengthBytes, sink);
      case GsoType.UDP_L4:
        return this.#udp(octets, start, lengthBytes, sink);
      default:
        return false;
    }
  }

  #whole(octets: Uint8Array, start: number, end: number, sink: SegmentSink): boolean {
    const { needsChecksum, checksumStart, checksumOffset } = this.#header;
    const length = end - start;
    const at = sink.place(length, needsChecksum ? checksumStart : 0);
    const { memory } = sink;
    memory.octets.set(octets.subarray(start, end), at);
    if (!needsChecksum) return true;
    const field = checksumStart + checksumOffset;
    // The packet is in its place already; without a checksum its receiver will drop it.
    if (field + 2 > length) return true;
    const sum = finishChecksum(wordSum(memory, at + checksumStart, at + length));
    // RFC 768: 0 would say that there is none.
    writeU16(memory.octets, at + field, sum === 0 && checksumOffset === udpChecksumAt ? 0xffff : sum);
    return true;
  }

  #tcp(octets: Uint8Array, start: number, end: number, sink: SegmentSink): boolean {
    const fields = this.#fields;
    if (readPacketSelectors(octets, start, end, fields) !== PacketVerdict.ok) return false;
    const transport = fields.payloadOffset;
    if (fields.protocol !== IpProtocol.TCP || transport + 20 > fields.end) return false;
    const transportBytes = (octets[transport + 12]! >>> 4) * 4;
    const data = transport + transportBytes;
    const { gsoBytes } = this.#header;
    if (transportBytes < 20 || data > fields.end || gsoBytes === 0) return false;
    this.#sumSharedHeaders(octets, start, IpProtocol.TCP);
    // Without sequence number, flags and checksum.
    this.#transportSum = sumWords(octets, transport, transport + 4, this.#transportSum);
    this.#transportSum = sumWords(octets, transport + 8, transport + 12, this.#transportSum);
    this.#transportSum = sumWords(octets, transport + 14, transport + 16, this.#transportSum);
    this.#transportSum = sumWords(octets, transport + 18, data, this.#transportSum);
    const sequence = readU32(octets, transport + 4);
    const flags = readU16(octets, transport + 12);
    const headerBytes = data - start;
    const { memory } = sink;
    let from = data;
    let index = 0;
    do {
      const to = Math.min(from + gsoBytes, fields.end);
      const at = sink.place(headerBytes + to - from, headerBytes);
      copySegment(octets, start, headerBytes, from, to, memory.octets, at);
      this.#writeNetworkLength(octets, start, memory.octets, at, headerBytes + to - from, index);
      const tcp = at + transport - start;
      let own = flags;
      if (index > 0) own &= ~firstOnly;
      if (to < fields.end) own &= ~lastOnly;
      writeU32(memory.octets, tcp + 4, sequence + from - data);
      writeU16(memory.octets, tcp + 12, own);
      const changed = readU16(memory.octets, tcp + 4) + readU16(memory.octets, tcp + 6) + own;
      const sum = this.#transportSum + changed + transportBytes + to - from;
      const checksum = finishChecksum(wordSum(memory, at + headerBytes, at + headerBytes + to - from, sum));
      writeU16(memory.octets, tcp + tcpChecksumAt, checksum);
      from = to;
      index++;
    } while (from < fields.end);
    return true;
  }

  #udp(octets: Uint8Array, start: number, end: number, sink: SegmentSink): boolean {
    const fields = this.#fields;
    if (readPacketSelectors(octets, start, end, fields) !== PacketVerdict.ok) return false;
    const transport = fields.payloadOffset;
    const data = transport + udpHeaderBytes;
    const { gsoBytes } = this.#header;
    if (fields.protocol !== IpProtocol.UDP || data > fields.end || gsoBytes === 0) return false;
    this.#sumSharedHeaders(octets, start, IpProtocol.UDP);
    this.#transportSum = sumWords(octets, transport, transport + 4, this.#transportSum);
    const headerBytes = data - start;
    const { memory } = sink;
    let from = data;
    let index = 0;
    do {
      const to = Math.min(from + gsoBytes, fields.end);
      const at = sink.place(headerBytes + to - from, headerBytes);
      copySegment(octets, start, headerBytes, from, to, memory.octets, at);
      this.#writeNetworkLength(octets, start, memory.octets, at, headerBytes + to - from, index);
      const udp = at + transport - start;
      const bytes = udpHeaderBytes + to - from;
      writeU16(memory.octets, udp + 4, bytes);
      // The length counts twice: in the header and in the pseudo header.
      const sum = this.#transportSum + bytes + bytes;
      const checksum = finishChecksum(wordSum(memory, at + headerBytes, at + headerBytes + to - from, sum));
      writeU16(memory.octets, udp + udpChecksumAt, checksum === 0 ? 0xffff : checksum);
      from = to;
      index++;
    } while (from < fields.end);
    return true;
  }

  /** IPv4's header without length, identification and checksum; the pseudo header without the length. */
  #sumSharedHeaders(octets: Uint8Array, start: number, protocol: number): void {
    const { version, sourceOffset, destinationOffset, payloadOffset } = this.#fields;
    const addressBytes = version === 4 ? 4 : 16;
    this.#transportSum = sumPseudoHeader(octets, sourceOffset, destinationOffset, addressBytes, protocol, 0);
    if (version !== 4) return;
    const sum = readU16(octets, start) + readU16(octets, start + 6) + readU16(octets, start + 8);
    this.#networkSum = sumWords(octets, start + 12, payloadOffset, sum);
  }

  #writeNetworkLength(
    octets: Uint8Array,
    start: number,
    out: Uint8Array,
    at: number,
    bytes: number,
    index: number,
  ): void {
    if (this.#fields.version !== 4) {
      writeU16(out, at + 4, bytes - 40);
      return;
    }
    const identification = (readU16(octets, start + 4) + index) & 0xffff;
    writeU16(out, at + 2, bytes);
    writeU16(out, at + 4, identification);
    writeU16(out, at + 10, finishChecksum(this.#networkSum + bytes + identification));
  }
}

function copySegment(
  octets: Uint8Array,
  start: number,
  headerBytes: number,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
): void {
  for (let i = 0; i < headerBytes; i++) out[at + i] = octets[start + i]!;
  out.set(octets.subarray(from, to), at + headerBytes);
}
