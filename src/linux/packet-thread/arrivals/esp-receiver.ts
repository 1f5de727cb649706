// Inbound ESP, native or in UDP, where IKE comes between: from a socket through the data plane towards the device.
import { PacketSlot } from '#ipsec';
import { classifyUdpEncapsulated, readU32 } from '#wire';
import type { DatagramBatch } from '../../sockets/datagram-batch.ts';
import type { Way } from '../departures/ways.ts';
import type { FloodGate } from '../floods/flood-guard.ts';
import { type Arrivals, dismisses, opens, type Receiver, receiveAll } from './arrivals.ts';

/** One for each socket. */
export class EspReceiver implements Receiver {
  readonly batch: DatagramBatch;
  readonly slot: PacketSlot = new PacketSlot();
  readonly gate: FloodGate;
  readonly #slots: readonly [PacketSlot] = [this.slot];
  readonly #arrivals: Arrivals;

  constructor(arrivals: Arrivals, { socket, batch }: Way, gate: FloodGate) {
    this.#arrivals = arrivals;
    this.gate = gate;
    this.batch = batch;
    this.slot.encapsulated = socket.transport.kind === 'udp';
  }

  receive(): void {
    receiveAll(this.#arrivals, this);
  }

  isDismissed(datagram: number): boolean {
    const { batch } = this;
    const at = batch.start(datagram) + batch.ipHeaderBytes(datagram);
    const to = batch.start(datagram) + batch.length(datagram);
    this.slot.evidenceHash = undefined;
    // Without a header, or with the marker of IKE, it is something else; joined ones may be of several SAs.
    if (to - at < 8 || batch.segmentBytes !== 0) return false;
    const spi = readU32(batch.memory.octets, at);
    return spi !== 0 && dismisses(this.#arrivals, this, datagram, 'esp', spi);
  }

  /**
   * Opens the packets of one datagram, or of several that the kernel joined. One by one: headers made in place may reach
   * into the end of the packet before, which is delivered by then.
   */
  open(datagram: number, at: number): void {
    const { lsi, coalescing, control } = this.#arrivals;
    const { batch, slot } = this;
    const { octets } = batch.memory;
    const ipHeaderBytes = batch.ipHeaderBytes(datagram);
    slot.hopLimit = ipHeaderBytes === 0 ? 64 : slot.buffer[batch.start(datagram) + 8]!;
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
        if (opens(this.#arrivals, this, this.#slots, datagram, at, from)) {
          if (lsi.active) lsi.inbound(slot);
          coalescing.take(slot.start, slot.length);
        }
      }
      from = to;
    } while (from < end);
  }
}
