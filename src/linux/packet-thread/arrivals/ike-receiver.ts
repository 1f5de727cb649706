// IKE's own port: whatever comes there is for the control thread.

import type { PacketMemory } from '../../memory/packet-memory.ts';
import { DatagramBatch } from '../../sockets/datagram-batch.ts';
import type { DatagramSocket } from '../../sockets/datagram-socket.ts';
import { type Arrivals, receivesMax } from './arrivals.ts';

/** One for each socket. */
export class IkeReceiver {
  readonly #arrivals: Arrivals;
  readonly #batch: DatagramBatch;

  /** @param memory of which it takes as much as a batch */
  constructor(arrivals: Arrivals, socket: DatagramSocket, memory: PacketMemory) {
    this.#arrivals = arrivals;
    this.#batch = new DatagramBatch(socket, memory);
  }

  receive(): void {
    const batch = this.#batch;
    for (let i = 0; i < receivesMax; i++) {
      const count = batch.receive();
      for (let datagram = 0; datagram < count; datagram++) {
        batch.readControl(datagram);
        const { local } = batch;
        if (local === undefined) {
          this.#arrivals.unaddressed++;
          continue;
        }
        const from = batch.start(datagram);
        const octets = batch.memory.octets.subarray(from, from + batch.length(datagram));
        this.#arrivals.control.datagram(local, batch.remote(datagram), octets);
      }
      if (count < DatagramBatch.datagramsMax) break;
    }
  }
}
