// struct virtio_net_hdr, which stands before each packet of a TUN device with IFF_VNET_HDR: checksums and segments left
// to the other side.
import { readU16 } from '#wire';

export const virtioNetHeaderBytes = 10;

/** Flag: the checksum field holds the pseudo header's sum, and the rest is to be added. */
export const VIRTIO_NET_HDR_F_NEEDS_CSUM = 1;

export const GsoType = { NONE: 0, TCPV4: 1, UDP_FRAGMENTS: 3, TCPV6: 4, UDP_L4: 5 } as const;
/** Added to a type: the sender said CWR, which only the first segment repeats. */
export const gsoEcnFlag = 0x80;

/** Fields of a received header; one record to be filled again and again. */
export class VirtioNetHeader {
  needsChecksum = false;
  gsoType = 0;
  gsoBytes = 0;
  /** Counted from the packet's first octet. */
  checksumStart = 0;
  /** Counted from `checksumStart`. */
  checksumOffset = 0;

  read(octets: Uint8Array, at: number): void {
    this.needsChecksum = (octets[at]! & VIRTIO_NET_HDR_F_NEEDS_CSUM) !== 0;
    this.gsoType = octets[at + 1]! & ~gsoEcnFlag;
    this.gsoBytes = readLittle(octets, at + 4);
    this.checksumStart = readLittle(octets, at + 6);
    this.checksumOffset = readLittle(octets, at + 8);
  }
}

export interface GsoShape {
  readonly gsoType: number;
  readonly networkBytes: number;
  /** To the end of the transport header. */
  readonly headerBytes: number;
  readonly segmentBytes: number;
  /** Of the checksum field in the transport header. */
  readonly checksumAt: number;
}

/** The header of a large packet that the kernel may cut, or leave whole. */
export function writeGsoHeader(octets: Uint8Array, at: number, shape: GsoShape): void {
  octets[at] = VIRTIO_NET_HDR_F_NEEDS_CSUM;
  octets[at + 1] = shape.gsoType;
  writeLittle(octets, at + 2, shape.headerBytes);
  writeLittle(octets, at + 4, shape.segmentBytes);
  writeLittle(octets, at + 6, shape.networkBytes);
  writeLittle(octets, at + 8, shape.checksumAt);
}

function readLittle(octets: Uint8Array, at: number): number {
  const value = readU16(octets, at);
  return ((value & 0xff) << 8) | (value >>> 8);
}

function writeLittle(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value;
  octets[at + 1] = value >>> 8;
}
