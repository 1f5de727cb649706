// Outbound packets: from the device through the data plane to the sockets.
import { type LsiTranslation, type MemoryDataPlane, type PacketSlot, Verdict } from '#ipsec';
import type { OtherThreads } from '../../hand-over/other-threads.ts';
import { monotonicMs } from '../../libc/clock.ts';
import type { PacketMemory } from '../../memory/packet-memory.ts';
import { Segmentation } from '../../offload/segmentation.ts';
import { virtioNetHeaderBytes } from '../../offload/virtio-net-header.ts';
import type { TunDevice } from '../../tun-device.ts';
import { OutboundBatch } from './outbound-batch.ts';
import type { Ways } from './ways.ts';

/** Reads of the device before the sockets get their turn. */
const tunReadsMax = 16;
/** And packets cut of what was read: whoever receives a stream says how small its segments are. */
const tunPacketsMax = 2_048;

export interface DeparturesOptions {
  readonly plane: MemoryDataPlane;
  readonly lsi: LsiTranslation;
  readonly ways: Ways;
  readonly others: OtherThreads | undefined;
  /** Carries out what the data plane asks for besides. */
  readonly drain: () => void;
}

export class Departures {
  static readonly bytes: number = OutboundBatch.bytes;
  readonly #segmentation = new Segmentation();
  readonly #batch: OutboundBatch;
  readonly #options: DeparturesOptions;
  /** What is in the batch came from another thread. */
  #handedOver = false;
  /** Packets of the device that are none. */
  malformed = 0;
  /** Packets that another thread handed over, and that are a third one's: threads disagree for a moment. */
  returned = 0;
  /** Packets to an LSI that cannot be told in IPv6. */
  untranslatable = 0;

  /** @param memory of which it takes `bytes` */
  constructor(memory: PacketMemory, options: DeparturesOptions) {
    this.#options = options;
    this.#batch = new OutboundBatch(
      memory,
      () => options.plane.paddedBytesMax,
      () => this.#send(),
    );
  }

  read(tun: TunDevice): void {
    const { placed } = this.#batch;
    for (let i = 0; i < tunReadsMax && this.#batch.placed - placed < tunPacketsMax; i++) {
      const lengthBytes = tun.read();
      if (lengthBytes === 0) break;
      if (this.#isElsewhere(tun, lengthBytes)) continue;
      if (!this.#segmentation.take(tun.start, lengthBytes, this.#batch)) this.malformed++;
    }
    this.#send();
  }

  /** Uncut, for one copy is less than many. */
  #isElsewhere({ memory, start }: TunDevice, lengthBytes: number): boolean {
    const { others, plane } = this.#options;
    if (others === undefined) return false;
    const at = start + virtioNetHeaderBytes;
    const childId = plane.handsOver(memory.octets, at, lengthBytes - virtioNetHeaderBytes);
    if (childId === undefined) return false;
    others.handOverOutbound(childId, memory.octets, start, lengthBytes);
    return true;
  }

  /** What another thread had of the device, where a read leaves it. It leaves with `flush` at the latest. */
  takeHandedOver(start: number, lengthBytes: number): void {
    this.#handedOver = true;
    if (!this.#segmentation.take(start, lengthBytes, this.#batch)) this.malformed++;
  }

  flush(): void {
    this.#send();
    this.#handedOver = false;
  }

  #send(): void {
    const { slots, count } = this.#batch;
    if (count === 0) return;
    const { plane, lsi, ways, drain } = this.#options;
    if (lsi.active) this.#translate(slots, count);
    plane.outboundBatch(slots, count, monotonicMs());
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (slot.verdict === Verdict.SEALED) ways.send(slot);
      else if (slot.verdict === Verdict.HANDED_OVER) this.#handOver(slot);
    }
    ways.flush();
    this.#batch.reset();
    drain();
  }

  /**
   * A packet whose fate changed when it was cut, or while the batch was filled. Once only: two threads that disagree about who
   * seals must not pass a packet to and fro.
   */
  #handOver({ policy, octets }: PacketSlot): void {
    const childId = policy?.childId;
    if (this.#handedOver) this.returned++;
    else if (childId !== undefined) this.#options.others?.handOverPacket(childId, octets);
  }

  /** What cannot be translated is no packet any more. */
  #translate(slots: readonly PacketSlot[], count: number): void {
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (this.#options.lsi.outbound(slot)) continue;
      slot.length = 0;
      this.untranslatable++;
    }
  }

  /** Forgets the octets of all packets. */
  wipe(): void {
    this.#batch.wipe();
  }
}
