// Reads capture files of both formats as their octets arrive.

import { ByteQueue } from '../byte-queue.ts';
import { WireError } from '../error.ts';
import { readU32 } from '../octets.ts';
import type { CapturePacket } from './capture-packet.ts';
import { isPcapMagic, PcapParser, type RecordParser } from './pcap-records.ts';
import { PcapngBlock, PcapngParser } from './pcapng-blocks.ts';

/**
 * `push` octets as they come, call `next` until it returns undefined, and `end` after the last chunk. Memory is
 * bounded by the largest record and chunk. Errors are `WireError` with offsets in the file, and are final: the same
 * error is thrown again from then on.
 */
export class CaptureReader {
  readonly #queue = new ByteQueue();
  #parser: RecordParser | undefined;
  #failure: WireError | undefined;

  /** Takes a copy of `chunk`. */
  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  /** The next packet that has arrived completely, or undefined. */
  next(): CapturePacket | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#parser ??= this.#recognize();
      return this.#parser?.next(this.#queue);
    } catch (error) {
      if (error instanceof WireError) this.#failure = error;
      throw error;
    }
  }

  /** Throws `WireError('truncated')` at the start of a record that has not arrived completely. Call `next` before. */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure;
    const begun = this.#parser?.recordOffset(this.#queue);
    if (this.#parser === undefined) throw new WireError('truncated', 0, 'capture.magic');
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
