// Inbound ESP, native or in UDP, where IKE comes between: from a socket through the data plane towards the device.
import { PacketSlot, Verdict } from '#ipsec';
import { classifyUdpEncapsulated, readU32 } from '#wire';
import { monotonicMs } from '../clock.ts';
import type { DatagramBatch } from '../datagram-batch.ts';
import { type Arrivals, receivesMax, takeAddresses } from './arrivals.ts';
import type { Way } from './ways.ts';

/** One for each socket. */
export class EspReceiver {
  readonly #arrivals: Arrivals;
  readonly #batch: DatagramBatch;
  readonly #slot = new PacketSlot();
  readonly #slots: readonly [PacketSlot] = [this.#slot];

  constructor(arrivals: Arrivals, { socket, batch }: Way) {
    this.#arrivals = arrivals;
    this.#batch = batch;
    this.#slot.encapsulated = socket.transport.kind === 'udp';
  }

  receive(): void {
    const batch = this.#batch;
    const slot = this.#slot;
    for (let i = 0; i < receivesMax; i++) {
      const count = batch.receive();
      if (count === 0) break;
      const at = monotonicMs();
      for (let datagram = 0; datagram < count; datagram++) {
        batch.readControl(datagram);
        if (this.#isDismissed(datagram) || !takeAddresses(this.#arrivals, slot, batch, datagram)) continue;
        const ipHeaderBytes = batch.ipHeaderBytes(datagram);
        slot.hopLimit = ipHeaderBytes === 0 ? 64 : slot.buffer[batch.start(datagram) + 8]!;
        this.#openAll(datagram, ipHeaderBytes, at);
      }
    }
    this.#arrivals.coalescing.flush();
    this.#arrivals.drain();
  }

  /** Most packets of a flood are done with here, before anything is made of their addresses. */
  #isDismissed(datagram: number): boolean {
    const batch = this.#batch;
    const { octets } = batch.memory;
    const at = batch.start(datagram) + batch.ipHeaderBytes(datagram);
    const to = batch.start(datagram) + batch.length(datagram);
    this.#slot.evidenceHash = undefined;
    // Without a header, or with the marker of IKE, it is something else; joined ones may be of several SAs.
    if (to - at < 8 || batch.segmentBytes !== 0) return false;
    const spi = readU32(octets, at);
    if (spi === 0) return false;
    const remoteHash = batch.remoteHash(datagram);
    const hash = Math.imul(remoteHash ^ spi, 0x9e37_79b1) >>> 0;
    this.#slot.evidenceHash = hash;
    const { plane, flood } = this.#arrivals;
    if (!plane.dismisses('esp', spi, hash)) return false;
    flood.saw(remoteHash);
    return true;
  }

  /**
   * Opens the packets of one datagram, or of several that the kernel joined. One by one: headers made in place may reach
   * into the end of the packet before, which is delivered by then.
   */
  #openAll(datagram: number, ipHeaderBytes: number, at: number): void {
    const { plane, lsi, coalescing, control, flood } = this.#arrivals;
    const batch = this.#batch;
    const slot = this.#slot;
    const { octets } = batch.memory;
    const end = batch.start(datagram) + batch.length(datagram);
    let from = batch.start(datagram) + ipHeaderBytes;
    const segmentBytes = batch.segmentBytes === 0 ? end - from : batch.segmentBytes;
    do {
      const to = Math.min(from + segmentBytes, end);
      if (slot.encapsulated && classifyUdpEncapsulated(octets, from, to) === 'ike') {
        control.datagram(slot.local!, slot.remote!, octets.subarray(from, to));
      } else {
        slot.start = from;
        slot.length = to - from;
        plane.inboundBatch(this.#slots, 1, at);
        if (slot.verdict === Verdict.OPENED) {
          if (lsi.active) lsi.inbound(slot);
          coalescing.take(slot.start, slot.length);
        } else if (slot.verdict === Verdict.UNKNOWN_SPI) flood.saw(batch.remoteHash(datagram));
      }
      from = to;
    } while (from < end);
  }
}
