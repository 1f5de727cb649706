// Reads capture files of both formats as their octets arrive.

import { ByteQueue } from '../byte-queue.ts';
import { WireError } from '../error.ts';
import { readU32 } from '../octets.ts';
import type { CapturePacket } from './capture-packet.ts';
import { isPcapMagic, PcapParser, type RecordParser } from './pcap-records.ts';
import { PcapngBlock, PcapngParser } from './pcapng-blocks.ts';

/** What a salvaging reader could not read. */
export interface CaptureDamage {
  /** How often records stopped making sense. */
  readonly places: number;
  /** Octets between the first senseless one of each place and the next record. */
  readonly octets: number;
  /** What was wrong at the first place. */
  readonly first: WireError;
}

/**
 * `push` octets as they come, call `next` until it returns undefined, and `end` after the last chunk. Memory is
 * bounded by the largest record and chunk. Errors are `WireError` with offsets in the file, and are final: the same
 * error is thrown again from then on.
 *
 * With `salvage`, damage behind the beginning of the file is passed over up to the next octets that look like a record,
 * and counted in `damage`. As it may have made a record look longer than the file, `next` has to be called after `end`
 * again.
 */
export class CaptureReader {
  readonly #queue = new ByteQueue();
  readonly #salvage: boolean;
  #parser: RecordParser | undefined;
  #failure: WireError | undefined;
  #seeking = false;
  #ended = false;
  #places = 0;
  #lost = 0;
  #first: WireError | undefined;

  constructor(options: { readonly salvage?: boolean } = {}) {
    this.#salvage = options.salvage ?? false;
  }

  get damage(): CaptureDamage | undefined {
    const first = this.#first;
    return first === undefined ? undefined : { places: this.#places, octets: this.#lost, first };
  }

  /** Takes a copy of `chunk`. */
  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  /** The next packet that has arrived completely, or undefined. */
  next(): CapturePacket | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#parser ??= this.#recognize();
      const parser = this.#parser;
      if (parser === undefined) return undefined;
      return this.#salvage ? this.#salvaged(parser) : parser.next(this.#queue);
    } catch (error) {
      if (error instanceof WireError) this.#failure = error;
      throw error;
    }
  }

  #salvaged(parser: RecordParser): CapturePacket | undefined {
    for (;;) {
      if (this.#seeking) {
        const before = this.#queue.offset;
        this.#seeking = !parser.seekRecord(this.#queue, this.#ended);
        this.#lost += this.#queue.offset - before;
        if (this.#seeking) return undefined;
      }
      try {
        const packet = parser.next(this.#queue);
        if (packet !== undefined || !this.#ended) return packet;
        const begun = parser.recordOffset(this.#queue);
        if (begun === undefined) return undefined;
        throw new WireError('truncated', begun, 'capture.record');
      } catch (error) {
        if (!(error instanceof WireError) || !parser.begun) throw error;
        this.#places++;
        this.#first ??= error;
        // The record that failed would look like one again.
        this.#lost += this.#queue.skip(1);
        parser.abandonRecord();
        this.#seeking = true;
      }
    }
  }

  /**
   * Throws `WireError('truncated')` at the start of a record that has not arrived completely; with `salvage` only if not
   * even the beginning of the file has. Call `next` before.
   */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#parser === undefined) throw new WireError('truncated', 0, 'capture.magic');
    this.#ended = true;
    if (this.#salvage && this.#parser.begun) return;
    const begun = this.#parser.recordOffset(this.#queue);
    if (begun !== undefined) throw new WireError('truncated', begun, 'capture.record');
  }

  #recognize(): RecordParser | undefined {
    const octets = this.#queue.peek(4);
    if (octets === undefined) return undefined;
    const magic = readU32(octets, 0);
    if (magic === PcapngBlock.SECTION) return new PcapngParser();
    if (isPcapMagic(magic)) return new PcapParser(magic);
    throw new WireError('value', 0, 'capture.magic', 'neither pcap nor pcapng');
  }
}

/** All packets of a file that is in memory as a whole. Throws `WireError`. */
export function decodeCapture(octets: Uint8Array): CapturePacket[] {
  const reader = new CaptureReader();
  reader.push(octets);
  const packets: CapturePacket[] = [];
  for (let packet = reader.next(); packet !== undefined; packet = reader.next()) packets.push(packet);
  reader.end();
  return packets;
}
