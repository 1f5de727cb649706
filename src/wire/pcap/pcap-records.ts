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
  /** Whether the beginning of the file was read, without which no record means anything. */
  readonly begun: boolean;
  /** Forgets what it knows of a record that it was in the midst of, for it was none. */
  abandonRecord(): void;
  /**
   * Drops octets up to the next ones that look like a record.
   * @param ended nothing will be added to the queue: a record that is not in it completely is none
   * @returns false if the queue must fill first
   */
  seekRecord(queue: ByteQueue, ended: boolean): boolean;
}

const fileHeaderLength = 24;
const recordHeaderLength = 16;

/** Further from the last good record than this, a time speaks against a record that is looked for. */
const jumpSecondsMax = 7 * 86_400;

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
  #lastSeconds: number | undefined;

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
    this.#lastSeconds = fields.u32(0);
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

  get begun(): boolean {
    return this.#linkType !== undefined;
  }

  abandonRecord(): void {
    // A record is looked at only once it is there completely.
  }

  seekRecord(queue: ByteQueue, ended: boolean): boolean {
    const view = queue.peek(queue.length)!;
    const fields = new OrderedView(view, this.#littleEndian);
    const last = view.length - recordHeaderLength;
    for (let at = 0; at <= last; at++) {
      if (!this.#looksLikeRecord(fields, at)) continue;
      const whole = at + recordHeaderLength + fields.u32(at + 8) <= view.length;
      if (!whole && ended) continue;
      queue.skip(at);
      return true;
    }
    queue.skip(ended ? view.length : Math.max(0, last + 1));
    return false;
  }

  // By chance, octets pass for a record once in 2^40 tries, and once in 2^50 where a time is known.
  #looksLikeRecord(fields: OrderedView, at: number): boolean {
    const length = fields.u32(at + 8);
    if (length === 0 || length > captureRecordLengthMax) return false;
    const originalLength = fields.u32(at + 12);
    if (originalLength < length || originalLength > captureRecordLengthMax) return false;
    if (fields.u32(at + 4) >= 1_000_000_000 / Number(this.#unitNs)) return false;
    const jump = fields.u32(at) - (this.#lastSeconds ?? fields.u32(at));
    return Math.abs(jump) <= jumpSecondsMax;
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
