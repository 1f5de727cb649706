// What a TUN device with offload hands over, and what is cut of it.
import assert from 'node:assert/strict';
import { pinned } from '../../libc/libc.ts';
import { PacketMemory } from '../../memory/packet-memory.ts';
import { Segmentation, type SegmentSink } from '../segmentation.ts';
import { virtioNetHeaderBytes } from '../virtio-net-header.ts';

/** What the kernel writes: a virtio header and the packet, in a buffer as long as a read's. */
export function fromKernel(
  packet: Uint8Array,
  type: number,
  gsoBytes: number,
  flags = 0,
  start = 0,
  offset = 0,
): [Uint8Array, number] {
  const octets = pinned(70_000);
  octets[0] = flags;
  octets[1] = type;
  const little = (at: number, value: number): void => {
    octets[at] = value;
    octets[at + 1] = value >>> 8;
  };
  little(4, gsoBytes);
  little(6, start);
  little(8, offset);
  octets.set(packet, virtioNetHeaderBytes);
  return [octets, virtioNetHeaderBytes + packet.length];
}

const collectedBytes = 400_000;
const readBytes = 70_000;

export class Collected implements SegmentSink {
  readonly memory: PacketMemory = new PacketMemory(collectedBytes + readBytes);
  readonly places: { at: number; lengthBytes: number }[] = [];
  #next = 0;

  place(lengthBytes: number): number {
    const at = this.#next;
    this.places.push({ at, lengthBytes });
    this.#next = at + lengthBytes;
    return at;
  }

  /** What the device would have read. */
  cut(segmentation: Segmentation, octets: Uint8Array, lengthBytes: number): boolean {
    this.memory.octets.set(octets.subarray(0, lengthBytes), collectedBytes);
    return segmentation.take(collectedBytes, lengthBytes, this);
  }

  get packets(): Uint8Array[] {
    return this.places.map(({ at, lengthBytes }) => this.memory.octets.slice(at, at + lengthBytes));
  }
}

export function segmentsOf(...[octets, length]: [Uint8Array, number]): Collected {
  const sink = new Collected();
  assert.equal(sink.cut(new Segmentation(), octets, length), true);
  return sink;
}
