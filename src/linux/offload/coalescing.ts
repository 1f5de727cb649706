// What a network card does for the kernel: consecutive segments of a TCP stream, or UDP datagrams of a flow, joined into
// large packets, which a TUN device takes in one write. They are joined only if cutting gives exactly the same ones again.
import { IpProtocol, readU16 } from '#wire';
import type { PacketMemory } from '../memory/packet-memory.ts';
import { JoinedPacket } from './joined-packet.ts';
import { virtioNetHeaderBytes } from './virtio-net-header.ts';

/** Takes what one write gives to the device: a virtio header and a packet. */
export type WritePacket = (start: number, lengthBytes: number) => void;

/** Flows that are joined at the same time. */
const flowsMax = 8;
const acknowledgement = 0x10;
const push = 0x08;

export interface CoalescingOptions {
  /** Whether the device takes large UDP packets too. */
  readonly udp: boolean;
}

export class Coalescing {
  static readonly bytes: number = flowsMax * JoinedPacket.bytes;
  readonly #memory: PacketMemory;
  readonly #at: number;
  readonly #write: WritePacket;
  readonly #udp: boolean;
  readonly #packets: readonly JoinedPacket[];
  /** Those in use, oldest first. */
  readonly #open: JoinedPacket[] = [];

  /** @param memory where all packets lie; it takes `bytes` of it */
  constructor(memory: PacketMemory, write: WritePacket, { udp }: CoalescingOptions) {
    this.#memory = memory;
    this.#write = write;
    this.#udp = udp;
    this.#at = memory.take(Coalescing.bytes);
    this.#packets = Array.from(
      { length: flowsMax },
      (_, i) => new JoinedPacket(memory, this.#at + i * JoinedPacket.bytes),
    );
  }

  /**
   * Takes one IP packet; it is written now or, with others, by `flush` at the latest. As many octets before it as a
   * virtio header has are overwritten.
   */
  take(start: number, lengthBytes: number): void {
    const { octets } = this.#memory;
    const networkBytes = plainNetworkBytes(octets, start, lengthBytes);
    const protocol = networkBytes === 20 ? octets[start + 9]! : octets[start + 6]!;
    if (networkBytes !== 0 && protocol === IpProtocol.TCP && networkBytes + 20 <= lengthBytes) {
      const headerBytes = networkBytes + (octets[start + networkBytes + 12]! >>> 4) * 4;
      const flags = octets[start + networkBytes + 13]! & ~push;
      const plain = flags === acknowledgement && headerBytes >= networkBytes + 20;
      this.#join(start, lengthBytes, networkBytes, plain ? headerBytes : lengthBytes);
    } else if (networkBytes !== 0 && protocol === IpProtocol.UDP && networkBytes + 8 <= lengthBytes) {
      const udp = start + networkBytes;
      // RFC 768: a checksum of zero is none.
      const plain = readU16(octets, udp + 4) === lengthBytes - networkBytes && readU16(octets, udp + 6) !== 0;
      this.#join(start, lengthBytes, networkBytes, plain && this.#udp ? networkBytes + 8 : lengthBytes);
    } else {
      this.#writeSingle(start, lengthBytes);
    }
  }

  /** @param headerBytes all that there is if the packet must pass by itself, after those of its flow before it */
  #join(start: number, lengthBytes: number, networkBytes: number, headerBytes: number): void {
    const packet = this.#find(start, networkBytes);
    if (headerBytes >= lengthBytes) {
      if (packet !== undefined) this.#finish(packet);
      this.#writeSingle(start, lengthBytes);
      return;
    }
    if (packet !== undefined) {
      if (packet.append(start, lengthBytes, headerBytes)) return;
      this.#finish(packet);
    }
    if (this.#open.length === flowsMax) this.#finish(this.#open[0]!);
    const fresh = this.#packets.find((one) => one.segments === 0)!;
    this.#open.push(fresh);
    fresh.begin(start, lengthBytes, networkBytes, headerBytes);
  }

  /** Writes everything held back. */
  flush(): void {
    while (this.#open.length > 0) this.#finish(this.#open[0]!);
  }

  /** Forgets the octets of all packets. Nothing may be held back. */
  wipe(): void {
    this.#memory.wipe(this.#at, Coalescing.bytes);
  }

  #find(start: number, networkBytes: number): JoinedPacket | undefined {
    for (const packet of this.#open) {
      if (packet.isOfFlow(start, networkBytes)) return packet;
    }
    return undefined;
  }

  #finish(packet: JoinedPacket): void {
    this.#open.splice(this.#open.indexOf(packet), 1);
    this.#write(packet.start, packet.finish());
  }

  #writeSingle(start: number, lengthBytes: number): void {
    const header = start - virtioNetHeaderBytes;
    this.#memory.wipe(header, virtioNetHeaderBytes);
    this.#write(header, virtioNetHeaderBytes + lengthBytes);
  }
}

/** Octets of the IP header of an unfragmented packet without options or extension headers; 0 for all others. */
function plainNetworkBytes(octets: Uint8Array, start: number, lengthBytes: number): number {
  if (lengthBytes < 20) return 0;
  if (octets[start] === 0x45) return (readU16(octets, start + 6) & 0x3fff) === 0 ? 20 : 0;
  return octets[start]! >>> 4 === 6 && lengthBytes >= 40 ? 40 : 0;
}
