// Packets of the TUN device side by side in one piece of memory, each with the room around it that protection needs.
import { encapsulationHeadroomBytes, encapsulationTailroomBytes, PacketSlot } from '#ipsec';
import type { PacketMemory } from '../../memory/packet-memory.ts';
import type { SegmentSink } from '../../offload/segmentation.ts';

const slotsMax = 128;
const arenaBytes = 512 * 1024;

export class OutboundBatch implements SegmentSink {
  static readonly bytes: number = arenaBytes;
  readonly memory: PacketMemory;
  readonly slots: readonly PacketSlot[];
  readonly #at: number;
  readonly #paddedBytesMax: () => number;
  readonly #send: () => void;
  #count = 0;
  #next = 0;
  /** Packets so far, of all batches. */
  placed = 0;

  /**
   * @param memory of which it takes `bytes`
   * @param paddedBytesMax to how many octets a packet may be padded
   * @param send called when there is room for no more: sends the packets and calls `reset`
   */
  constructor(memory: PacketMemory, paddedBytesMax: () => number, send: () => void) {
    this.memory = memory;
    this.slots = Array.from({ length: slotsMax }, () => new PacketSlot(memory.octets));
    this.#at = memory.take(arenaBytes);
    this.#paddedBytesMax = paddedBytesMax;
    this.#send = send;
  }

  get count(): number {
    return this.#count;
  }

  place(lengthBytes: number): number {
    const packetBytes = Math.max(lengthBytes, this.#paddedBytesMax());
    const bytes = encapsulationHeadroomBytes + packetBytes + encapsulationTailroomBytes;
    if (this.#count === slotsMax || this.#next + bytes > arenaBytes) this.#send();
    const at = this.#at + this.#next + encapsulationHeadroomBytes;
    const slot = this.slots[this.#count++]!;
    slot.start = at;
    slot.length = lengthBytes;
    this.#next += bytes;
    this.placed++;
    return at;
  }

  reset(): void {
    this.#count = 0;
    this.#next = 0;
  }

  /** Forgets the octets of all packets. */
  wipe(): void {
    this.memory.wipe(this.#at, arenaBytes);
  }
}
