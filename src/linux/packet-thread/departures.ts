// Outbound packets: from the device through the data plane to the sockets.
import { type LsiTranslation, type MemoryDataPlane, type PacketSlot, Verdict } from '#ipsec';
import { monotonicMs } from '../clock.ts';
import { Segmentation } from '../offload/segmentation.ts';
import type { PacketMemory } from '../packet-memory.ts';
import type { TunDevice } from '../tun-device.ts';
import { OutboundBatch } from './outbound-batch.ts';
import type { Ways } from './ways.ts';

/** Reads of the device before the sockets get their turn. */
const tunReadsMax = 16;

export interface DeparturesOptions {
  readonly plane: MemoryDataPlane;
  readonly lsi: LsiTranslation;
  readonly ways: Ways;
  /** Carries out what the data plane asks for besides. */
  readonly drain: () => void;
}

export class Departures {
  static readonly bytes: number = OutboundBatch.bytes;
  readonly #segmentation = new Segmentation();
  readonly #batch: OutboundBatch;
  readonly #options: DeparturesOptions;
  /** Packets of the device that are none. */
  malformed = 0;
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
    for (let i = 0; i < tunReadsMax; i++) {
      const lengthBytes = tun.read();
      if (lengthBytes === 0) break;
      if (!this.#segmentation.take(tun.start, lengthBytes, this.#batch)) this.malformed++;
    }
    this.#send();
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
    }
    ways.flush();
    this.#batch.reset();
    drain();
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
