// Cuts a stream into vici packets, however it was torn on its way.
import { ByteQueue } from '../byte-queue.ts';
import { WireError } from '../error.ts';
import { readU32 } from '../octets.ts';
import { viciPacketLengthMax } from './limits.ts';
import { decodeViciPacket, type ViciPacket } from './packet.ts';

/** Holds at most what was pushed: a reader that stops pushing while packets wait bounds it. */
export class ViciFrameReader {
  readonly #queue = new ByteQueue();

  /** Octets that were pushed and not read as packets yet. */
  get waiting(): number {
    return this.#queue.length;
  }

  push(octets: Uint8Array): void {
    this.#queue.push(octets);
  }

  /**
   * The next packet, or `undefined` until more octets come. Throws `WireError` for a packet that cannot be read; the one
   * after it can, unless the frame itself was too long.
   */
  next(): ViciPacket | undefined {
    const header = this.#queue.peek(4);
    if (header === undefined) return undefined;
    const length = readU32(header, 0);
    if (length > viciPacketLengthMax) {
      throw new WireError('limit', 0, 'frame.length', `${length} octets, at most ${viciPacketLengthMax}`);
    }
    const frame = this.#queue.peek(4 + length);
    if (frame === undefined) return undefined;
    const packet = frame.slice(4);
    this.#queue.skip(4 + length);
    return decodeViciPacket(packet);
  }
}
