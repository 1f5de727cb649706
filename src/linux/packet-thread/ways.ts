// The sockets that ESP leaves and enters by: native, and in UDP to each port, for either family.
import type { PacketSlot } from '#ipsec';
import { type Endpoint, isIpv6 } from '#sa';
import { DatagramBatch } from '../datagram-batch.ts';
import type { DatagramSocket } from '../datagram-socket.ts';
import type { PacketMemory } from '../packet-memory.ts';
import { SealedPacketSender } from '../sealed-packet-sender.ts';

export interface Way {
  readonly socket: DatagramSocket;
  readonly sender: SealedPacketSender;
  readonly batch: DatagramBatch;
}

export class Ways {
  readonly #memory: PacketMemory;
  readonly #all: Way[] = [];
  // Packets of one SA come in runs.
  #lastLocal: Endpoint | undefined;
  #lastEncapsulated = false;
  #last: Way | undefined;
  /** Packets for which there is no socket. */
  missing = 0;

  /** @param memory of which each way takes as much as its batch */
  constructor(memory: PacketMemory) {
    this.#memory = memory;
  }

  add(socket: DatagramSocket): Way {
    if (socket.transport.kind === 'udp') socket.joinDatagrams();
    const way = {
      socket,
      sender: new SealedPacketSender(socket),
      batch: new DatagramBatch(socket, this.#memory),
    };
    this.#all.push(way);
    this.#lastLocal = undefined;
    return way;
  }

  /** Packets that the kernel would not take. */
  get refused(): number {
    return this.#all.reduce((sum, { sender }) => sum + sender.dropped, 0);
  }

  /** Holds back a sealed packet until `flush`. */
  send(slot: PacketSlot): void {
    if (slot.local !== this.#lastLocal || slot.encapsulated !== this.#lastEncapsulated) {
      const local = slot.local!;
      this.#lastLocal = local;
      this.#lastEncapsulated = slot.encapsulated;
      this.#last = this.#find(slot.encapsulated, local);
    }
    if (this.#last === undefined) this.missing++;
    else this.#last.sender.add(slot);
  }

  flush(): void {
    for (const { sender } of this.#all) sender.flush();
  }

  /** Sends one packet at once. */
  sendNow(
    encapsulated: boolean,
    local: Endpoint,
    remote: Endpoint,
    octets: Uint8Array,
    trafficClass: number,
  ): void {
    const way = this.#find(encapsulated, local);
    if (way === undefined) this.missing++;
    else way.socket.send(local.address, remote, octets, trafficClass);
  }

  #find(encapsulated: boolean, { address, port }: Endpoint): Way | undefined {
    const ofFamily = isIpv6(address) ? 6 : 4;
    return this.#all.find(({ socket: { transport, family } }) => {
      if (family !== ofFamily) return false;
      return encapsulated ? transport.kind === 'udp' && transport.port === port : transport.kind === 'raw';
    });
  }

  wipe(): void {
    for (const { batch } of this.#all) batch.wipe();
  }
}
