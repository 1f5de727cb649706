// Packets from the unprotected side, and what is kept of those whose SPI no SA has: evidence, and for a moment the packet.
import type { SaProtocol } from '#sa';
import type { DataPath } from '../data-path.ts';
import { decapsulationHeadroomBytes, PacketSlot } from '../packet-slot.ts';
import { Verdict } from '../verdicts.ts';
import { type EarlyPacket, EarlyPackets } from './early-packets.ts';
import type { MemoryDataPlaneOptions, ReceivedPacket } from './interface.ts';
import { UnknownSpiRing } from './unknown-spi-ring.ts';

/** Events of the data path are for whoever has called to collect. */
export class InboundPackets {
  readonly #path: DataPath;
  readonly #slots: [PacketSlot] = [new PacketSlot()];
  readonly unknown: UnknownSpiRing;
  readonly #early = new EarlyPackets();

  constructor(path: DataPath, options: MemoryDataPlaneOptions) {
    this.#path = path;
    this.unknown = new UnknownSpiRing(options.unknownSpisMax ?? 64, options.unknownSpisPerSecondMax);
  }

  /** The packet that is to be delivered. */
  take(received: ReceivedPacket, at: number): Uint8Array | undefined {
    const slot = this.#slots[0];
    slot.flowLabel = received.flowLabel;
    slot.interfaceName = received.interfaceName;
    slot.buffer = new Uint8Array(decapsulationHeadroomBytes + received.octets.length);
    slot.buffer.set(received.octets, decapsulationHeadroomBytes);
    slot.start = decapsulationHeadroomBytes;
    slot.length = received.octets.length;
    slot.local = received.local;
    slot.remote = received.remote;
    slot.protocol = received.protocol === 'ah' ? 'ah' : 'esp';
    slot.encapsulated = received.protocol === 'udp';
    slot.trafficClass = received.trafficClass ?? 0;
    slot.hopLimit = received.hopLimit ?? 64;
    this.takeBatch(this.#slots, 1, at);
    if (slot.verdict === Verdict.OPENED) return slot.octets;
    // Decrypted or not: nobody gets it.
    slot.buffer.fill(0);
    return undefined;
  }

  takeBatch(slots: readonly PacketSlot[], count: number, at: number): void {
    this.#path.decapsulate(slots, at, count);
    this.unknown.advance(at);
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (slot.verdict !== Verdict.UNKNOWN_SPI) continue;
      this.#recordUnknown(slot);
      this.#early.keep(slot, at);
    }
  }

  /** Those that came before their SA, see `EarlyPackets`. */
  takeEarly(at: number, canBeReceived: (packet: EarlyPacket) => boolean): readonly EarlyPacket[] {
    return this.#early.take(at, canBeReceived);
  }

  dismisses(protocol: SaProtocol, spi: number, evidenceHash: number): boolean {
    if (this.#path.sad.findInbound(protocol, spi) !== undefined || !this.unknown.dismisses(evidenceHash)) {
      return false;
    }
    this.#path.countDismissed();
    return true;
  }

  #recordUnknown(slot: PacketSlot): void {
    const evidence = {
      protocol: slot.protocol,
      spi: slot.spi,
      sequence: slot.sequence,
      source: slot.remote!,
      destination: slot.local!,
      encapsulated: slot.encapsulated,
      lengthBytes: slot.length,
      ...(slot.flowLabel === undefined ? {} : { flowLabel: slot.flowLabel }),
      ...(slot.interfaceName === undefined ? {} : { interfaceName: slot.interfaceName }),
    };
    this.unknown.record(evidence, slot.evidenceHash);
  }

  takeUnprotected(packet: Uint8Array): Uint8Array | undefined {
    const slot = this.#slots[0];
    slot.buffer = packet.slice();
    slot.start = 0;
    slot.length = packet.length;
    this.#path.admitUnprotected(this.#slots);
    return slot.verdict === Verdict.BYPASS ? slot.octets : undefined;
  }
}
