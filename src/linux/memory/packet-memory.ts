// The memory that all packets of one thread lie in: one piece, so that a packet is a number, copies stay within one array,
// and checksums, the largest cost of a packet path in JavaScript, can be summed up by vector instructions.
import { sumWords } from '#wire';
import { type PacketCalls, packetCalls, pinned } from '../libc/libc.ts';
import { memoryAddress } from './memory-address.ts';
import { type VectorMemory, vectorMemory } from './vector-memory.ts';

/** Pieces begin at cache lines. */
const alignmentBytes = 64;

export class PacketMemory {
  readonly octets: Uint8Array;
  /** Of the first octet. */
  readonly address: number;
  readonly #calls: PacketCalls = packetCalls();
  readonly #vectorSum: VectorMemory['sum'] | undefined;
  readonly #vectorCopy: VectorMemory['copy'] | undefined;
  #taken = 0;

  /** @param bytes what all owners together will take */
  constructor(bytes: number) {
    const vector = vectorMemory(bytes);
    this.#vectorSum = vector?.sum;
    this.#vectorCopy = vector?.copy;
    this.octets = vector?.octets ?? pinned(bytes);
    this.address = memoryAddress(this.octets);
  }

  /** What `take` uses up of the memory. */
  static bytesTaken(bytes: number): number {
    return Math.ceil(bytes / alignmentBytes) * alignmentBytes;
  }

  /** A piece for its caller alone; where it begins. */
  take(bytes: number): number {
    const start = this.#taken;
    this.#taken += PacketMemory.bytesTaken(bytes);
    if (this.#taken > this.octets.length) throw new RangeError('the memory for packets is used up');
    return start;
  }

  copy(to: number, from: number, bytes: number): void {
    if (this.#vectorCopy === undefined) this.octets.copyWithin(to, from, from + bytes);
    else this.#vectorCopy(to, from, bytes);
  }

  /**
   * From other memory, which may be shared between threads: that V8 copies octet by octet.
   * @throws RangeError if either end does not lie within its memory
   */
  copyFrom(to: number, octets: Uint8Array, from: number, bytes: number): void {
    if (Math.min(to, from, bytes) < 0 || to + bytes > this.octets.length || from + bytes > octets.length) {
      throw new RangeError(`no ${bytes} octets from ${from} on, or no room for them from ${to} on`);
    }
    this.#calls.memcpy(this.address + to, memoryAddress(octets) + from, bytes);
  }

  wipe(start: number, bytes: number): void {
    this.octets.fill(0, start, start + bytes);
  }

  /** Like `sumWords`, folded to 16 bits before `initial` is added. For ranges of up to 64 KiB. */
  sum(start: number, end: number, initial = 0): number {
    if (this.#vectorSum === undefined) return sumWords(this.octets, start, end, initial);
    let swapped = this.#vectorSum(start, end);
    while (swapped > 0xffff) swapped = (swapped & 0xffff) + (swapped >>> 16);
    // RFC 1071 2(B): a sum of swapped words is the swapped sum.
    return initial + (((swapped & 0xff) << 8) | (swapped >>> 8));
  }
}
