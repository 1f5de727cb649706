// Inbound AH: we have no AH SAs in this thread, so that whatever comes is evidence of an unknown SPI.
import { PacketSlot } from '#ipsec';
import { addressBytes } from '#sa';
import { IpProtocol, writeU16 } from '#wire';
import { monotonicMs } from '../clock.ts';
import { DatagramBatch } from '../datagram-batch.ts';
import type { DatagramSocket } from '../datagram-socket.ts';
import type { PacketMemory } from '../packet-memory.ts';
import { type Arrivals, receivesMax, takeAddresses } from './arrivals.ts';

const ipv6HeaderBytes = 40;

/** One for each raw socket. */
export class AhReceiver {
  readonly #arrivals: Arrivals;
  readonly #socket: DatagramSocket;
  readonly #batch: DatagramBatch;
  readonly #slot = new PacketSlot();
  readonly #slots: readonly [PacketSlot] = [this.#slot];

  /** @param memory of which it takes as much as a batch */
  constructor(arrivals: Arrivals, socket: DatagramSocket, memory: PacketMemory) {
    this.#arrivals = arrivals;
    this.#socket = socket;
    this.#batch = new DatagramBatch(socket, memory);
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
        if (!takeAddresses(this.#arrivals, slot, batch, datagram)) continue;
        slot.protocol = 'ah';
        slot.start = batch.start(datagram);
        slot.length = batch.length(datagram);
        if (this.#socket.family === 6) writeIpv6Header(slot);
        this.#arrivals.plane.inboundBatch(this.#slots, 1, at);
      }
    }
    this.#arrivals.drain();
  }
}

/** A raw IPv6 socket keeps the header to itself: what matters of it is put before the packet again. */
function writeIpv6Header(slot: PacketSlot): void {
  const { buffer } = slot;
  slot.start -= ipv6HeaderBytes;
  const at = slot.start;
  buffer.fill(0, at, at + ipv6HeaderBytes);
  buffer[at] = 0x60;
  writeU16(buffer, at + 4, slot.length);
  buffer[at + 6] = IpProtocol.AH;
  buffer.set(addressBytes(slot.remote!.address), at + 8);
  buffer.set(addressBytes(slot.local!.address), at + 24);
  slot.length += ipv6HeaderBytes;
}
