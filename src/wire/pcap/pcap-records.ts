// The classic pcap file: one header, then records (draft-ietf-opsawg-pcap).

import type { ByteQueue } from '../byte-queue.ts';
import { WireError } from '../error.ts';
import { OrderedView } from './byte-order.ts';
import { type CapturePacket, captureRecordLengthMax } from './capture-packet.ts';

/** Yields the packets of one file format from a queue that fills over time. */
export interface RecordParser {
  /** The next packet, or undefined if the queue must fill first. Throws `WireError`. */
  next(queue: ByteQueue): CapturePacket | undefined;
  /** Where the record begins that has arrived only in part; undefined between records. */
  recordOffset(queue: ByteQueue): number | undefined;
}

const fileHeaderLength = 24;
const recordHeaderLength = 16;

/** The magic numbers as they read in big-endian order. */
const magics: ReadonlyMap<number, { readonly littleEndian: boolean; readonly unitNs: bigint }> = new Map([
  [0xa1b2_c3d4, { littleEndian: false, unitNs: 1000n }],
  [0xd4c3_b2a1, { littleEndian: true, unitNs: 1000n }],
  [0xa1b2_3c4d, { littleEndian: false, unitNs: 1n }],
  [0x4d3c_b2a1, { littleEndian: true, unitNs: 1n }],
]);

export function isPcapMagic(magic: number): boolean {
  return magics.has(magic);
}

export class PcapParser implements RecordParser {
  readonly #littleEndian: boolean;
  readonly #unitNs: bigint;
  #linkType: number | undefined;

  /** `magic`: the first four octets of the file, read in big-endian order. */
  constructor(magic: number) {
    const found = magics.get(magic);
    if (found === undefined) throw new WireError('value', 0, 'pcap.magic');
    this.#littleEndian = found.littleEndian;
    this.#unitNs = found.unitNs;
  }

  next(queue: ByteQueue): CapturePacket | undefined {
    this.#linkType ??= this.#readFileHeader(queue);
    if (this.#linkType === undefined) return undefined;
    const header = queue.peek(recordHeaderLength);
    if (header === undefined) return undefined;
    const fileOffset = queue.offset;
    const fields = new OrderedView(header, this.#littleEndian);
    const length = fields.u32(8);
    if (length > captureRecordLengthMax) throw new WireError('limit', fileOffset + 8, 'pcap.capturedLength');
    const record = queue.peek(recordHeaderLength + length);
    if (record === undefined) return undefined;
    const timestampNs = BigInt(fields.u32(0)) * 1_000_000_000n + BigInt(fields.u32(4)) * this.#unitNs;
    const packet = {
      timestampNs,
      linkType: this.#linkType,
      octets: record.slice(recordHeaderLength),
      originalLength: fields.u32(12),
      interfaceId: 0,
      fileOffset,
    };
    queue.skip(record.length);
    return packet;
  }

  recordOffset(queue: ByteQueue): number | undefined {
    return this.#linkType === undefined || queue.length > 0 ? queue.offset : undefined;
  }

  #readFileHeader(queue: ByteQueue): number | undefined {
    const header = queue.peek(fileHeaderLength);
    if (header === undefined) return undefined;
    const fields = new OrderedView(header, this.#littleEndian);
    if (fields.u16(4) !== 2) throw new WireError('version', 4, 'pcap.version', `${fields.u16(4)}`);
    queue.skip(fileHeaderLength);
    // The upper half says whether frames end in a checksum of how many octets.
    return fields.u32(20) & 0xffff;
  }
}
