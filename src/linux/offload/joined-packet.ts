// One large TCP or UDP packet in the making.
import {
  finishChecksum,
  IpProtocol,
  internetChecksum,
  readU16,
  readU32,
  sumPseudoHeader,
  writeIpv4Checksum,
  writeU16,
} from '#wire';
import { PacketMemory } from '../memory/packet-memory.ts';
import { GsoType, virtioNetHeaderBytes, writeGsoHeader } from './virtio-net-header.ts';

const packetBytesMax = 65_535;
/** The kernel's UDP_MAX_SEGMENTS, as it was before it grew. */
const datagramsMax = 64;
const push = 0x08;
const tcpChecksumAt = 16;
const udpChecksumAt = 6;

export class JoinedPacket {
  static readonly bytes: number = PacketMemory.bytesTaken(virtioNetHeaderBytes + packetBytesMax);
  /** Where its virtio header lies. */
  readonly start: number;
  /** And the IP packet behind it. */
  readonly #packet: number;
  readonly #memory: PacketMemory;
  /** How many were joined; 0 while it is not in use. */
  segments = 0;
  #lengthBytes = 0;
  #protocol = 0;
  #networkBytes = 0;
  #headerBytes = 0;
  #segmentBytes = 0;
  #nextSequence = 0;
  /** No more segments may follow: the last one was shorter, or pushed. */
  #closed = false;
  /** Whether the checksums of the first segment are right. */
  #verified = false;

  /** @param start of `bytes` octets of the memory that are its own */
  constructor(memory: PacketMemory, start: number) {
    this.#memory = memory;
    this.start = start;
    this.#packet = start + virtioNetHeaderBytes;
  }

  isOfFlow(start: number, networkBytes: number): boolean {
    if (this.#networkBytes !== networkBytes) return false;
    const { octets } = this.#memory;
    const own = this.#packet;
    if (octets[start + (networkBytes === 20 ? 9 : 6)] !== this.#protocol) return false;
    // Addresses and ports lie side by side in a plain packet.
    const from = networkBytes === 20 ? 12 : 8;
    let at = networkBytes + 3;
    while (at >= from && octets[own + at] === octets[start + at]) at--;
    return at < from;
  }

  begin(start: number, lengthBytes: number, networkBytes: number, headerBytes: number): void {
    const { octets } = this.#memory;
    this.#memory.copy(this.#packet, start, lengthBytes);
    this.segments = 1;
    this.#lengthBytes = lengthBytes;
    this.#protocol = octets[start + (networkBytes === 20 ? 9 : 6)]!;
    this.#networkBytes = networkBytes;
    this.#headerBytes = headerBytes;
    this.#segmentBytes = lengthBytes - headerBytes;
    this.#verified = this.#hasGoodChecksums(start, lengthBytes);
    this.#closed = false;
    if (this.#protocol !== IpProtocol.TCP) return;
    const tcp = start + networkBytes;
    this.#nextSequence = (readU32(octets, tcp + 4) + this.#segmentBytes) >>> 0;
    this.#closed = (octets[tcp + 13]! & push) !== 0;
  }

  /** Joins a packet of the flow; false if it cannot be part of this one. */
  append(start: number, lengthBytes: number, headerBytes: number): boolean {
    const dataBytes = lengthBytes - headerBytes;
    if (
      this.#closed ||
      !this.#verified ||
      headerBytes !== this.#headerBytes ||
      dataBytes > this.#segmentBytes ||
      this.#lengthBytes + dataBytes > packetBytesMax ||
      !this.#hasSameNetworkHeader(start) ||
      !(this.#protocol === IpProtocol.TCP ? this.#continuesStream(start) : this.segments < datagramsMax) ||
      !this.#hasGoodChecksums(start, lengthBytes)
    ) {
      return false;
    }
    this.#memory.copy(this.#packet + this.#lengthBytes, start + headerBytes, dataBytes);
    this.#lengthBytes += dataBytes;
    this.segments++;
    this.#closed = dataBytes < this.#segmentBytes;
    if (this.#protocol === IpProtocol.TCP) this.#advanceStream(start, dataBytes);
    return true;
  }

  #advanceStream(start: number, dataBytes: number): void {
    const { octets } = this.#memory;
    this.#nextSequence = (this.#nextSequence + dataBytes) >>> 0;
    const pushed = octets[start + this.#networkBytes + 13]! & push;
    const flagsAt = this.#packet + this.#networkBytes + 13;
    octets[flagsAt] = octets[flagsAt]! | pushed;
    if (pushed !== 0) this.#closed = true;
  }

  /** Whether the packet has the IP header that cutting the large one would give it. */
  #hasSameNetworkHeader(start: number): boolean {
    const { octets } = this.#memory;
    const own = this.#packet;
    if (this.#networkBytes === 40) {
      return readU32(octets, own) === readU32(octets, start) && octets[own + 7] === octets[start + 7];
    }
    // Traffic class; flags; time to live. The identification counts up.
    if (octets[own + 1] !== octets[start + 1] || octets[own + 8] !== octets[start + 8]) return false;
    if (readU16(octets, own + 6) !== readU16(octets, start + 6)) return false;
    const expected = (readU16(octets, own + 4) + this.segments) & 0xffff;
    return readU16(octets, start + 4) === expected;
  }

  /** Whether the segment follows, with the TCP header that cutting would give it. */
  #continuesStream(start: number): boolean {
    const { octets } = this.#memory;
    const tcp = this.#packet + this.#networkBytes;
    const other = start + this.#networkBytes;
    if (readU32(octets, other + 4) !== this.#nextSequence) return false;
    // Acknowledgement number; window; urgent pointer and options. Flags and checksum are not compared.
    if (readU32(octets, tcp + 8) !== readU32(octets, other + 8)) return false;
    if (octets[tcp + 12] !== octets[other + 12]) return false;
    if (readU16(octets, tcp + 14) !== readU16(octets, other + 14)) return false;
    if (readU16(octets, tcp + 18) !== readU16(octets, other + 18)) return false;
    for (let i = 20; i < this.#headerBytes - this.#networkBytes; i += 4) {
      if (readU32(octets, tcp + i) !== readU32(octets, other + i)) return false;
    }
    return true;
  }

  /** Completes the headers and is free again. @returns octets with the virtio header */
  finish(): number {
    const { octets } = this.#memory;
    const networkBytes = this.#networkBytes;
    const packet = this.#packet;
    this.#memory.wipe(this.start, virtioNetHeaderBytes);
    if (this.segments > 1) {
      const tcp = this.#protocol === IpProtocol.TCP;
      const checksumAt = tcp ? tcpChecksumAt : udpChecksumAt;
      const tcpType = networkBytes === 20 ? GsoType.TCPV4 : GsoType.TCPV6;
      const gsoType = tcp ? tcpType : GsoType.UDP_L4;
      writeGsoHeader(octets, this.start, {
        gsoType,
        networkBytes,
        headerBytes: this.#headerBytes,
        segmentBytes: this.#segmentBytes,
        checksumAt,
      });
      const transportBytes = this.#lengthBytes - networkBytes;
      if (networkBytes === 20) {
        writeU16(octets, packet + 2, this.#lengthBytes);
        writeIpv4Checksum(octets, packet, networkBytes);
      } else {
        writeU16(octets, packet + 4, transportBytes);
      }
      if (!tcp) writeU16(octets, packet + networkBytes + 4, transportBytes);
      // The kernel adds the rest to the pseudo header's sum.
      const sum = this.#pseudoHeaderSum(packet, transportBytes);
      writeU16(octets, packet + networkBytes + checksumAt, ~finishChecksum(sum) & 0xffff);
    }
    this.segments = 0;
    return virtioNetHeaderBytes + this.#lengthBytes;
  }

  #pseudoHeaderSum(start: number, transportBytes: number): number {
    const { octets } = this.#memory;
    return this.#networkBytes === 20
      ? sumPseudoHeader(octets, start + 12, start + 16, 4, this.#protocol, transportBytes)
      : sumPseudoHeader(octets, start + 8, start + 24, 16, this.#protocol, transportBytes);
  }

  /** A large packet gets its checksums anew, so that a broken segment must not become part of one. */
  #hasGoodChecksums(start: number, lengthBytes: number): boolean {
    const networkBytes = this.#networkBytes;
    if (networkBytes === 20 && internetChecksum(this.#memory.octets, start, start + networkBytes) !== 0)
      return false;
    const sum = this.#pseudoHeaderSum(start, lengthBytes - networkBytes);
    return finishChecksum(this.#memory.sum(start + networkBytes, start + lengthBytes, sum)) === 0;
  }
}
