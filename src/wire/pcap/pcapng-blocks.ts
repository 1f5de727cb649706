// The pcapng file: sections of blocks (draft-ietf-opsawg-pcapng), of which interfaces and packets are read.

import type { ByteQueue } from '../byte-queue.ts';
import { WireError } from '../error.ts';
import { decodeUtf8 } from '../utf8.ts';
import { OrderedView } from './byte-order.ts';
import {
  type CapturePacket,
  captureInterfaceNameLengthMax,
  captureInterfacesMax,
  captureRecordLengthMax,
} from './capture-packet.ts';
import type { RecordParser } from './pcap-records.ts';
import { forEachOption, PcapngOption, padded } from './pcapng-options.ts';

export const PcapngBlock = {
  INTERFACE: 1,
  /** Obsolete Packet Block */
  PACKET: 2,
  SIMPLE_PACKET: 3,
  ENHANCED_PACKET: 6,
  /** Reads the same in either byte order. */
  SECTION: 0x0a0d_0d0a,
} as const;

export const byteOrderMagic = 0x1a2b_3c4d;
const swappedByteOrderMagic = 0x4d3c_2b1a;

interface CaptureInterface {
  readonly linkType: number;
  readonly snapLength: number;
  readonly name?: string;
  /** Timestamp units per second. */
  readonly resolution: bigint;
  readonly offsetSeconds: bigint;
}

/** Octets of a packet block before the packet itself, block type and length included. */
const enhancedHeaderLength = 28;
const simpleHeaderLength = 12;

export class PcapngParser implements RecordParser {
  #littleEndian = false;
  #sections = 0;
  #interfaces: CaptureInterface[] = [];
  /** Octets of the current block that are of no interest and have not arrived yet. */
  #skipping = 0;
  /** Of the current skipped block: its length field must return at its end. */
  #skippedLength = 0;
  #skippedOffset = 0;

  next(queue: ByteQueue): CapturePacket | undefined {
    while (this.#finishSkipping(queue)) {
      const block = this.#peekBlock(queue);
      if (block === undefined) return undefined;
      if (block === 'skip') continue;
      const packet = this.#readBlock(block, queue.offset);
      queue.skip(block.length);
      if (packet !== undefined) return packet;
    }
    return undefined;
  }

  recordOffset(queue: ByteQueue): number | undefined {
    if (this.#skippedLength > 0) return this.#skippedOffset;
    return queue.length > 0 ? queue.offset : undefined;
  }

  get begun(): boolean {
    return this.#sections > 0;
  }

  abandonRecord(): void {
    this.#skipping = 0;
    this.#skippedLength = 0;
  }

  seekRecord(queue: ByteQueue, ended: boolean): boolean {
    const view = queue.peek(queue.length)!;
    const fields = new OrderedView(view, this.#littleEndian);
    const last = view.length - 12;
    for (let at = 0; at <= last; at++) {
      const looks = this.#looksLikeBlock(view, fields, at);
      if (looks === false || (looks === undefined && ended)) continue;
      queue.skip(at);
      return looks !== undefined;
    }
    queue.skip(ended ? view.length : Math.max(0, last + 1));
    return false;
  }

  /** Undefined: more must arrive before it can be said. */
  #looksLikeBlock(view: Uint8Array, fields: OrderedView, at: number): boolean | undefined {
    const type = fields.u32(at);
    if (!isRead(type)) return false;
    let ordered = fields;
    if (type === PcapngBlock.SECTION) {
      const magic = fields.u32(at + 8);
      // Another section may be in the other byte order.
      if (magic === swappedByteOrderMagic) ordered = new OrderedView(view, !this.#littleEndian);
      else if (magic !== byteOrderMagic) return false;
    }
    const length = ordered.u32(at + 4);
    if (length < 12 || length % 4 !== 0 || length > captureRecordLengthMax) return false;
    if (at + length > view.length) return undefined;
    return ordered.u32(at + length - 4) === length;
  }

  // Blocks of no interest may be large (name tables, secrets, custom data): they pass without being held.
  #finishSkipping(queue: ByteQueue): boolean {
    if (this.#skippedLength === 0) return true;
    this.#skipping -= queue.skip(this.#skipping);
    const trailer = this.#skipping === 0 ? queue.peek(4) : undefined;
    if (trailer === undefined) return false;
    if (new OrderedView(trailer, this.#littleEndian).u32(0) !== this.#skippedLength) {
      throw new WireError('length', queue.offset, 'pcapng.block.trailingLength');
    }
    queue.skip(4);
    this.#skippedLength = 0;
    return true;
  }

  #peekBlock(queue: ByteQueue): OrderedView | 'skip' | undefined {
    const start = queue.peek(8);
    if (start === undefined) return undefined;
    const at = queue.offset;
    let fields = new OrderedView(start, this.#littleEndian);
    const type = fields.u32(0);
    if (type === PcapngBlock.SECTION) {
      const beginning = queue.peek(12);
      if (beginning === undefined) return undefined;
      this.#littleEndian = sectionIsLittleEndian(beginning, at);
      fields = new OrderedView(beginning, this.#littleEndian);
    }
    const length = fields.u32(4);
    if (length < 12 || length % 4 !== 0) throw new WireError('length', at + 4, 'pcapng.block.length');
    if (!isRead(type)) {
      queue.skip(8);
      this.#skippedOffset = at;
      this.#skippedLength = length;
      this.#skipping = length - 12;
      return 'skip';
    }
    if (length > captureRecordLengthMax) throw new WireError('limit', at + 4, 'pcapng.block.length');
    const octets = queue.peek(length);
    if (octets === undefined) return undefined;
    const block = new OrderedView(octets, this.#littleEndian);
    if (block.u32(length - 4) !== length) {
      throw new WireError('length', at + length - 4, 'pcapng.block.trailingLength');
    }
    return block;
  }

  #readBlock(block: OrderedView, at: number): CapturePacket | undefined {
    switch (block.u32(0)) {
      case PcapngBlock.SECTION:
        this.#interfaces = [];
        requireBlock(block, 28, at);
        if (block.u16(12) !== 1) throw new WireError('version', at + 12, 'pcapng.section.version');
        this.#sections++;
        return undefined;
      case PcapngBlock.INTERFACE:
        if (this.#interfaces.length === captureInterfacesMax) {
          throw new WireError('limit', at, 'pcapng.interfaces');
        }
        this.#interfaces.push(readInterface(block, at));
        return undefined;
      case PcapngBlock.SIMPLE_PACKET:
        return this.#readSimplePacket(block, at);
      default:
        return this.#readPacket(block, at);
    }
  }

  #interface(id: number, offset: number): CaptureInterface {
    const found = this.#interfaces[id];
    if (found === undefined) throw new WireError('value', offset, 'pcapng.packet.interface', `${id}`);
    return found;
  }

  #readPacket(block: OrderedView, at: number): CapturePacket {
    requireBlock(block, enhancedHeaderLength + 4, at);
    const obsolete = block.u32(0) === PcapngBlock.PACKET;
    const interfaceId = obsolete ? block.u16(8) : block.u32(8);
    const source = this.#interface(interfaceId, at + 8);
    const timestamp = (BigInt(block.u32(12)) << 32n) | BigInt(block.u32(16));
    const octets = packetOctets(block, enhancedHeaderLength, block.u32(20), at, at + 20);
    const optionsStart = enhancedHeaderLength + padded(octets.length);
    let comment: string | undefined;
    forEachOption(block, optionsStart, block.length - 4, at, (code, offset, length) => {
      if (code === PcapngOption.COMMENT) {
        comment ??= decodeUtf8(block.octets.subarray(offset, offset + length));
      }
    });
    return {
      timestampNs: (timestamp * 1_000_000_000n) / source.resolution + source.offsetSeconds * 1_000_000_000n,
      linkType: source.linkType,
      octets,
      originalLength: block.u32(24),
      interfaceId,
      ...(source.name === undefined ? {} : { interfaceName: source.name }),
      ...(comment === undefined ? {} : { comment }),
      fileOffset: at,
    };
  }

  #readSimplePacket(block: OrderedView, at: number): CapturePacket {
    requireBlock(block, simpleHeaderLength + 4, at);
    const source = this.#interface(0, at);
    const originalLength = block.u32(8);
    const captured = source.snapLength === 0 ? originalLength : Math.min(originalLength, source.snapLength);
    return {
      linkType: source.linkType,
      octets: packetOctets(block, simpleHeaderLength, captured, at, at + 8),
      originalLength,
      interfaceId: 0,
      ...(source.name === undefined ? {} : { interfaceName: source.name }),
      fileOffset: at,
    };
  }
}

function isRead(type: number): boolean {
  return (
    type === PcapngBlock.SECTION ||
    type === PcapngBlock.INTERFACE ||
    type === PcapngBlock.PACKET ||
    type === PcapngBlock.SIMPLE_PACKET ||
    type === PcapngBlock.ENHANCED_PACKET
  );
}

function sectionIsLittleEndian(beginning: Uint8Array, at: number): boolean {
  if (new OrderedView(beginning, true).u32(8) === byteOrderMagic) return true;
  if (new OrderedView(beginning, false).u32(8) === byteOrderMagic) return false;
  throw new WireError('value', at + 8, 'pcapng.section.byteOrderMagic');
}

function requireBlock(block: OrderedView, length: number, at: number): void {
  if (block.length < length) throw new WireError('length', at + 4, 'pcapng.block.length', 'too short');
}

function packetOctets(
  block: OrderedView,
  start: number,
  length: number,
  at: number,
  lengthOffset: number,
): Uint8Array {
  if (length > block.length - 4 - start) {
    throw new WireError('length', lengthOffset, 'pcapng.packet.capturedLength', `in the block at ${at}`);
  }
  return block.octets.slice(start, start + length);
}

function readInterface(block: OrderedView, at: number): CaptureInterface {
  requireBlock(block, 20, at);
  let name: string | undefined;
  let resolution = 1_000_000n;
  let offsetSeconds = 0n;
  forEachOption(block, 16, block.length - 4, at, (code, offset, length) => {
    if (code === PcapngOption.INTERFACE_NAME) {
      if (length > captureInterfaceNameLengthMax) throw new WireError('limit', at + offset, 'pcapng.if_name');
      name = decodeUtf8(block.octets.subarray(offset, offset + length));
    } else if (code === PcapngOption.TIMESTAMP_RESOLUTION) {
      if (length !== 1) throw new WireError('length', at + offset - 2, 'pcapng.if_tsresol');
      const exponent = block.octets[offset]!;
      // The high bit chooses powers of 2 instead of powers of 10.
      resolution = (exponent & 0x80) === 0 ? 10n ** BigInt(exponent) : 1n << BigInt(exponent & 0x7f);
    } else if (code === PcapngOption.TIMESTAMP_OFFSET) {
      if (length !== 8) throw new WireError('length', at + offset - 2, 'pcapng.if_tsoffset');
      offsetSeconds = block.i64(offset);
    }
  });
  return {
    linkType: block.u16(8),
    snapLength: block.u32(12),
    ...(name === undefined ? {} : { name }),
    resolution,
    offsetSeconds,
  };
}
