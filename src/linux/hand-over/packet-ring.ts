// Packets from one thread to another, through memory that both have: a ring of records with one producer and one consumer.
import { type PacketCalls, packetCalls } from '../libc/libc.ts';
import { memoryAddress } from '../memory/memory-address.ts';

/** What its producer says of a packet besides its octets. */
export const handOverHeaderBytes = 40;

/**
 * Counters, of which each side writes its own: in cache lines of their own, so that neither waits for the other's. Head and
 * tail are where the records begin that wait, and end; up to `begunAt`, the consumer has begun with them.
 */
const headAt = 0;
const begunAt = 1;
const tailAt = 16;
const recordsAt = 128;
/** What the counters count, so that none of their values is a place between two of them. */
const unitBytes = 8;
/** A power of two: the counters wrap at 32 bits, and places must not jump then. */
const units = 131_072;
const recordsBytes = units * unitBytes;
/** Before the header: what the record is, and the packet's length. */
const prefixBytes = unitBytes;
const packetAt = prefixBytes + handOverHeaderBytes;

/** What a record is, in words that a counter out of place finds in hardly any packet. */
const packet = 0x5752_4e01;
/** There is nothing until the end of the memory: the next record had no room there. */
const skip = 0x5752_4e02;

/** A view of all of the memory, and where in it header and packet are; all is wiped when the call returns. */
export type RecordTaker = (
  octets: Uint8Array,
  headerAt: number,
  packetAt: number,
  lengthBytes: number,
) => void;

/**
 * The producer's end or the consumer's, each of which is all in the memory: a thread that takes the place of one that died
 * makes another and goes on. A packet whose consumer died with it is not given to the next one.
 */
export class PacketRing {
  /** Of one ring's memory, which is all zero at first. */
  static readonly bytes: number = recordsAt + recordsBytes;
  readonly #counters: Int32Array;
  readonly #words: Int32Array;
  readonly #octets: Uint8Array;
  readonly #address: number;
  /** V8 copies shared memory octet by octet unless both ends lie well: ten times as slow, and more. */
  readonly #calls: PacketCalls = packetCalls();
  /** As a producer: nothing of a packet is where the next ones come. */
  #freeIsWiped = false;

  /** @param memory of `bytes` octets */
  constructor(memory: SharedArrayBuffer) {
    this.#counters = new Int32Array(memory, 0, recordsAt / 4);
    this.#words = new Int32Array(memory, recordsAt, recordsBytes / 4);
    this.#octets = new Uint8Array(memory, 0, PacketRing.bytes);
    this.#address = memoryAddress(this.#octets);
  }

  get isEmpty(): boolean {
    return Atomics.load(this.#counters, headAt) === Atomics.load(this.#counters, tailAt);
  }

  /**
   * Copies a record in.
   * @param header of `handOverHeaderBytes`
   * @param octets of which `lengthBytes` from `start` on are the packet
   * @returns false, and nothing happened, if there is no room; for any IP packet there is some in an empty ring
   * @throws RangeError for a header of another length, or a packet beyond the octets
   */
  push(header: Uint8Array, octets: Uint8Array, start: number, lengthBytes: number): boolean {
    if (header.length !== handOverHeaderBytes) {
      throw new RangeError(`the header of a record has ${handOverHeaderBytes} octets, not ${header.length}`);
    }
    if (start < 0 || lengthBytes < 0 || start + lengthBytes > octets.length) {
      throw new RangeError(`no ${lengthBytes} octets from ${start} on of ${octets.length}`);
    }
    const tail = Atomics.load(this.#counters, tailAt);
    const head = Atomics.load(this.#counters, headAt);
    const used = (tail - head) >>> 0;
    const needed = unitsFor(lengthBytes);
    let at = place(tail);
    // A record is in one piece.
    const skipped = needed > units - at ? units - at : 0;
    // More in use than there is: a counter is broken, and the consumer sets that right.
    if (used + skipped + needed > units) return false;
    if (!this.#freeIsWiped) {
      // A producer before this one may have died with half a packet copied.
      this.#wipe(tail, units - used);
      this.#freeIsWiped = true;
    }
    if (skipped > 0) {
      this.#words[2 * at] = skip;
      at = 0;
    }
    const from = recordsAt + at * unitBytes;
    this.#octets.set(header, from + prefixBytes);
    this.#calls.memcpy(this.#address + from + packetAt, memoryAddress(octets) + start, lengthBytes);
    this.#words[2 * at + 1] = lengthBytes;
    this.#words[2 * at] = packet;
    // Whoever sees this sees all of the above.
    Atomics.store(this.#counters, tailAt, (tail + skipped + needed) | 0);
    return true;
  }

  /**
   * Gives waiting records away, the oldest first; what comes meanwhile is left for the next call. A record counts as taken
   * also if `take` throws.
   * @returns how many there were, at most `countMax`
   */
  take(countMax: number, take: RecordTaker): number {
    const tail = Atomics.load(this.#counters, tailAt);
    let head = Atomics.load(this.#counters, headAt);
    const begun = (this.#counters[begunAt]! - head) >>> 0;
    // By a consumer that died. A packet that killed it is not to kill this one too.
    if (begun > 0) head = this.#finish(head, begun <= (tail - head) >>> 0 ? begun : 0);
    let count = 0;
    while (head !== tail && count < countMax) {
      const at = place(head);
      const used = (tail - head) >>> 0;
      const state = this.#words[2 * at];
      const length = this.#words[2 * at + 1]! >>> 0;
      const size = state === packet ? unitsFor(length) : units - at;
      if ((state !== packet && state !== skip) || size > Math.min(used, units - at)) {
        // Nobody knows where the next record is.
        this.#finish(head, used);
        return count;
      }
      this.#counters[begunAt] = (head + size) | 0;
      try {
        if (state === packet) {
          count++;
          const from = recordsAt + at * unitBytes;
          take(this.#octets, from + prefixBytes, from + packetAt, length);
        }
      } finally {
        head = this.#finish(head, size);
      }
    }
    return count;
  }

  /** Gives so many units at the head to the producer, with nothing in them. The new head. */
  #finish(head: number, count: number): number {
    this.#wipe(head, count);
    const next = (head + count) | 0;
    Atomics.store(this.#counters, headAt, next);
    this.#counters[begunAt] = next;
    return next;
  }

  /** Of the records' memory, which goes on at its beginning. */
  #wipe(from: number, count: number): void {
    const at = place(from);
    const here = Math.min(count, units - at);
    const more = Math.min(count - here, at);
    this.#calls.memset(this.#address + recordsAt + at * unitBytes, 0, here * unitBytes);
    if (more > 0) this.#calls.memset(this.#address + recordsAt, 0, more * unitBytes);
  }
}

function place(counter: number): number {
  return counter & (units - 1);
}

function unitsFor(lengthBytes: number): number {
  return Math.ceil((packetAt + lengthBytes) / unitBytes);
}
