// What a network card does for the kernel: consecutive segments of a TCP stream joined into large packets, which a TUN
// device takes in one write. Segments are joined only if cutting the large packet gives exactly the same ones again.
import {
  finishChecksum,
  IpProtocol,
  readU16,
  readU32,
  sumPseudoHeader,
  writeIpv4Checksum,
  writeU16,
} from '#wire';
import { PacketMemory } from '../packet-memory.ts';
import { virtioNetHeaderBytes, writeTcpGsoHeader } from './virtio-net-header.ts';

/** Takes what one write gives to the device: a virtio header and a packet. */
export type WritePacket = (start: number, lengthBytes: number) => void;

/** Streams that are joined at the same time. */
const streamsMax = 8;
const packetBytesMax = 65_535;
const writeBytesMax = PacketMemory.bytesTaken(virtioNetHeaderBytes + packetBytesMax);
const acknowledgement = 0x10;
const push = 0x08;

/** One stream's packet in the making. */
class Stream {
  /** Where its virtio header lies. */
  readonly header: number;
  /** And the packet behind it. */
  readonly packet: number;
  lengthBytes = 0;
  segments = 0;
  version = 4;
  networkBytes = 0;
  headerBytes = 0;
  segmentBytes = 0;
  nextSequence = 0;
  /** No more segments may follow: the last one was shorter, or pushed. */
  closed = false;
  /** Whether the checksum of the only segment so far has been looked at. */
  verified = false;

  constructor(header: number) {
    this.header = header;
    this.packet = header + virtioNetHeaderBytes;
  }
}

export class Coalescing {
  static readonly bytes: number = (streamsMax + 1) * writeBytesMax;
  readonly #memory: PacketMemory;
  readonly #at: number;
  readonly #write: WritePacket;
  readonly #streams: readonly Stream[];
  /** Those in use, oldest first. */
  readonly #open: Stream[] = [];
  readonly #single: number;

  /** @param memory where all packets lie; it takes `bytes` of it */
  constructor(memory: PacketMemory, write: WritePacket) {
    this.#memory = memory;
    this.#write = write;
    this.#at = memory.take(Coalescing.bytes);
    this.#streams = Array.from({ length: streamsMax }, (_, i) => new Stream(this.#at + i * writeBytesMax));
    this.#single = this.#at + streamsMax * writeBytesMax;
  }

  /** Takes one IP packet; it is written now or, with others, by `flush` at the latest. */
  take(start: number, lengthBytes: number): void {
    const { octets } = this.#memory;
    const networkBytes = plainTcpNetworkBytes(octets, start, lengthBytes);
    if (networkBytes === 0) {
      this.#writeSingle(start, lengthBytes);
      return;
    }
    const stream = this.#find(start, networkBytes);
    const transport = start + networkBytes;
    const headerBytes = networkBytes + (octets[transport + 12]! >>> 4) * 4;
    const dataBytes = lengthBytes - headerBytes;
    const flags = octets[transport + 13]!;
    if (dataBytes <= 0 || (flags & ~push) !== acknowledgement) {
      if (stream !== undefined) this.#finish(stream);
      this.#writeSingle(start, lengthBytes);
      return;
    }
    if (stream !== undefined) {
      if (this.#append(stream, start, headerBytes, dataBytes)) return;
      this.#finish(stream);
    }
    this.#begin(start, lengthBytes, networkBytes, headerBytes);
  }

  /** Writes everything held back. */
  flush(): void {
    while (this.#open.length > 0) this.#finish(this.#open[0]!);
  }

  /** Forgets the octets of all packets. Nothing may be held back. */
  wipe(): void {
    this.#memory.wipe(this.#at, Coalescing.bytes);
  }

  #find(start: number, networkBytes: number): Stream | undefined {
    const { octets } = this.#memory;
    for (const stream of this.#open) {
      if (stream.networkBytes !== networkBytes) continue;
      // Addresses and ports lie side by side in a plain packet.
      const from = networkBytes === 20 ? 12 : 8;
      const own = stream.packet;
      let at = networkBytes + 3;
      while (at >= from && octets[own + at] === octets[start + at]) at--;
      if (at < from) return stream;
    }
    return undefined;
  }

  #begin(start: number, lengthBytes: number, networkBytes: number, headerBytes: number): void {
    if (this.#open.length === streamsMax) this.#finish(this.#open[0]!);
    const stream = this.#streams.find((one) => one.segments === 0)!;
    this.#open.push(stream);
    const { octets } = this.#memory;
    this.#memory.copy(stream.packet, start, lengthBytes);
    stream.lengthBytes = lengthBytes;
    stream.segments = 1;
    stream.version = networkBytes === 20 ? 4 : 6;
    stream.networkBytes = networkBytes;
    stream.headerBytes = headerBytes;
    stream.segmentBytes = lengthBytes - headerBytes;
    stream.nextSequence = (readU32(octets, start + networkBytes + 4) + stream.segmentBytes) >>> 0;
    stream.closed = (octets[start + networkBytes + 13]! & push) !== 0;
    stream.verified = hasGoodChecksum(this.#memory, start, lengthBytes, networkBytes);
  }

  #append(stream: Stream, start: number, headerBytes: number, dataBytes: number): boolean {
    const { octets } = this.#memory;
    const { networkBytes } = stream;
    const transport = start + networkBytes;
    if (
      stream.closed ||
      !stream.verified ||
      headerBytes !== stream.headerBytes ||
      dataBytes > stream.segmentBytes ||
      stream.lengthBytes + dataBytes > packetBytesMax ||
      readU32(octets, transport + 4) !== stream.nextSequence ||
      !sameHeaders(stream, octets, start) ||
      !hasGoodChecksum(this.#memory, start, headerBytes + dataBytes, networkBytes)
    ) {
      return false;
    }
    this.#memory.copy(stream.packet + stream.lengthBytes, start + headerBytes, dataBytes);
    stream.lengthBytes += dataBytes;
    stream.segments++;
    stream.nextSequence = (stream.nextSequence + dataBytes) >>> 0;
    const pushed = octets[transport + 13]! & push;
    const flagsAt = stream.packet + networkBytes + 13;
    octets[flagsAt] = octets[flagsAt]! | pushed;
    stream.closed = pushed !== 0 || dataBytes < stream.segmentBytes;
    return true;
  }

  #finish(stream: Stream): void {
    this.#open.splice(this.#open.indexOf(stream), 1);
    const { octets } = this.#memory;
    const { header, packet: base, lengthBytes, networkBytes, headerBytes } = stream;
    octets.fill(0, header, base);
    if (stream.segments > 1) {
      writeTcpGsoHeader(octets, header, stream.version, networkBytes, headerBytes, stream.segmentBytes);
      if (stream.version === 4) {
        writeU16(octets, base + 2, lengthBytes);
        writeIpv4Checksum(octets, base, networkBytes);
      } else {
        writeU16(octets, base + 4, lengthBytes - 40);
      }
      // The kernel adds the rest to the pseudo header's sum.
      const sum = pseudoHeaderSum(octets, base, networkBytes, lengthBytes - networkBytes);
      writeU16(octets, base + networkBytes + 16, ~finishChecksum(sum) & 0xffff);
    }
    stream.segments = 0;
    this.#write(header, virtioNetHeaderBytes + lengthBytes);
  }

  #writeSingle(start: number, lengthBytes: number): void {
    this.#memory.copy(this.#single + virtioNetHeaderBytes, start, lengthBytes);
    this.#write(this.#single, virtioNetHeaderBytes + lengthBytes);
  }
}

/** Whether the segment has the headers that cutting the large packet would give it. */
function sameHeaders(stream: Stream, octets: Uint8Array, start: number): boolean {
  const base = stream.packet;
  if (stream.version === 4) {
    // Traffic class; flags; time to live. The identification counts up.
    if (octets[base + 1] !== octets[start + 1] || octets[base + 8] !== octets[start + 8]) return false;
    if (readU16(octets, base + 6) !== readU16(octets, start + 6)) return false;
    const expected = (readU16(octets, base + 4) + stream.segments) & 0xffff;
    if (readU16(octets, start + 4) !== expected) return false;
  } else {
    if (readU32(octets, base) !== readU32(octets, start) || octets[base + 7] !== octets[start + 7])
      return false;
  }
  // Acknowledgement number; window; urgent pointer and options.
  const tcp = base + stream.networkBytes;
  const other = start + stream.networkBytes;
  for (let i = 8; i < stream.headerBytes - stream.networkBytes; i++) {
    const differs = octets[tcp + i] !== octets[other + i];
    if (differs && i !== 13 && i !== 16 && i !== 17) return false;
  }
  return true;
}

/** Octets of the IP header of an unfragmented TCP packet without options or extension headers; 0 for all others. */
function plainTcpNetworkBytes(octets: Uint8Array, start: number, lengthBytes: number): number {
  if (lengthBytes < 40) return 0;
  let networkBytes = 0;
  if (octets[start] === 0x45) {
    const fragmented = (readU16(octets, start + 6) & 0x3fff) !== 0;
    if (octets[start + 9] === IpProtocol.TCP && !fragmented) networkBytes = 20;
  } else if (octets[start]! >>> 4 === 6 && octets[start + 6] === IpProtocol.TCP && lengthBytes >= 60) {
    networkBytes = 40;
  }
  if (networkBytes === 0) return 0;
  const transportBytes = (octets[start + networkBytes + 12]! >>> 4) * 4;
  return transportBytes >= 20 && networkBytes + transportBytes <= lengthBytes ? networkBytes : 0;
}

function pseudoHeaderSum(octets: Uint8Array, start: number, networkBytes: number, bytes: number): number {
  return networkBytes === 20
    ? sumPseudoHeader(octets, start + 12, start + 16, 4, IpProtocol.TCP, bytes)
    : sumPseudoHeader(octets, start + 8, start + 24, 16, IpProtocol.TCP, bytes);
}

/** A large packet gets its checksums anew, so that a broken segment must not become part of one. */
function hasGoodChecksum(
  memory: PacketMemory,
  start: number,
  lengthBytes: number,
  networkBytes: number,
): boolean {
  const sum = pseudoHeaderSum(memory.octets, start, networkBytes, lengthBytes - networkBytes);
  return finishChecksum(memory.sum(start + networkBytes, start + lengthBytes, sum)) === 0;
}
