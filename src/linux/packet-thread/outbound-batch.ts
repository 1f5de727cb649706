// Packets of the TUN device side by side in one piece of memory, each with the room around it that protection needs.
import { encapsulationHeadroomBytes, encapsulationTailroomBytes, PacketSlot } from '#ipsec';
import { pinned } from '../libc.ts';
import type { SegmentSink } from '../offload/segmentation.ts';
import { type Words, wordsOf } from '../offload/word-sum.ts';

const slotsMax = 128;
const arenaBytes = 512 * 1024;

export class OutboundBatch implements SegmentSink {
  readonly memory: Words = wordsOf(pinned(arenaBytes));
  readonly slots: readonly PacketSlot[] = Array.from(
    { length: slotsMax },
    () => new PacketSlot(this.memory.octets),
  );
  readonly #paddedBytesMax: () => number;
  readonly #send: () => void;
  #count = 0;
  #next = 0;

  /**
   * @param paddedBytesMax to how many octets a packet may be padded
   * @param send called when there is room for no more: sends the packets and calls `reset`
   */
  constructor(paddedBytesMax: () => number, send: () => void) {
    this.#paddedBytesMax = paddedBytesMax;
    this.#send = send;
  }

  get count(): number {
    return this.#count;
  }

  place(lengthBytes: number, alignedAt: number): number {
    const bytes =
      encapsulationHeadroomBytes +
      Math.max(lengthBytes, this.#paddedBytesMax()) +
      encapsulationTailroomBytes +
      4;
    if (this.#count === slotsMax || this.#next + bytes > arenaBytes) this.#send();
    const start = this.#next + encapsulationHeadroomBytes;
    const at = start + ((4 - ((start + alignedAt) & 3)) & 3);
    const slot = this.slots[this.#count++]!;
    slot.start = at;
    slot.length = lengthBytes;
    this.#next += bytes;
    return at;
  }

  reset(): void {
    this.#count = 0;
    this.#next = 0;
  }

  /** Forgets the octets of all packets. */
  wipe(): void {
    this.memory.octets.fill(0);
  }
}
