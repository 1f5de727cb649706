// The sockets that ESP and AH leave by, and ESP comes by: native, and in UDP to each port, for either family.
import type { PacketSlot } from '#ipsec';
import { type Endpoint, isIpv6, type SaProtocol } from '#sa';
import type { PacketMemory } from '../../memory/packet-memory.ts';
import { DatagramBatch } from '../../sockets/datagram-batch.ts';
import type { DatagramSocket, SendOptions } from '../../sockets/datagram-socket.ts';
import { SealedPacketSender } from '../../sockets/sealed-packet-sender.ts';

export interface Way {
  readonly socket: DatagramSocket;
  readonly sender: SealedPacketSender;
  readonly batch: DatagramBatch;
}

/** A socket to send by alone. */
type WayOut = Omit<Way, 'batch'>;

/** What a packet is put into. */
export type Envelope = SaProtocol | 'udp';

export class Ways {
  readonly #memory: PacketMemory;
  readonly #esp: WayOut[] = [];
  readonly #ah: WayOut[] = [];
  readonly #batches: DatagramBatch[] = [];
  // Packets of one SA come in runs.
  #lastLocal: Endpoint | undefined;
  #lastEnvelope: Envelope | undefined;
  #last: WayOut | undefined;
  /** Packets for which there is no socket. */
  missing = 0;

  /** @param memory of which each way takes as much as its batch */
  constructor(memory: PacketMemory) {
    this.#memory = memory;
  }

  addEsp(socket: DatagramSocket): Way {
    if (socket.transport.kind === 'udp') socket.joinDatagrams();
    socket.keepWhole();
    const batch = new DatagramBatch(socket, this.#memory);
    this.#batches.push(batch);
    const way = { socket, sender: new SealedPacketSender(socket), batch };
    this.#esp.push(way);
    this.#lastLocal = undefined;
    return way;
  }

  /** @param socket takes packets with their IP header, of which AH covers more than the kernel would ask us about */
  addAh(socket: DatagramSocket): void {
    socket.keepWhole();
    this.#ah.push({ socket, sender: new SealedPacketSender(socket) });
    this.#lastLocal = undefined;
  }

  /** Packets that the kernel would not take. */
  get refused(): number {
    return [...this.#esp, ...this.#ah].reduce((sum, { sender }) => sum + sender.dropped, 0);
  }

  /** Holds back a sealed packet until `flush`. */
  send(slot: PacketSlot): void {
    const envelope = slot.encapsulated ? 'udp' : slot.protocol;
    if (slot.local !== this.#lastLocal || envelope !== this.#lastEnvelope) {
      const local = slot.local!;
      this.#lastLocal = local;
      this.#lastEnvelope = envelope;
      this.#last = this.#find(envelope, local);
    }
    if (this.#last === undefined) this.missing++;
    else this.#last.sender.add(slot);
  }

  flush(): void {
    for (const { sender } of this.#esp) sender.flush();
    for (const { sender } of this.#ah) sender.flush();
  }

  /** Sends one packet at once. */
  sendNow(
    envelope: Envelope,
    local: Endpoint,
    remote: Endpoint,
    octets: Uint8Array,
    options: SendOptions,
  ): void {
    const way = this.#find(envelope, local);
    if (way === undefined) this.missing++;
    else way.socket.send(local.address, remote, octets, options);
  }

  #find(envelope: Envelope, { address, port }: Endpoint): WayOut | undefined {
    const ofFamily = isIpv6(address) ? 6 : 4;
    if (envelope === 'ah') return this.#ah.find(({ socket }) => socket.family === ofFamily);
    return this.#esp.find(({ socket: { transport, family } }) => {
      if (family !== ofFamily) return false;
      return envelope === 'udp'
        ? transport.kind === 'udp' && transport.port === port
        : transport.kind === 'raw';
    });
  }

  wipe(): void {
    for (const batch of this.#batches) batch.wipe();
  }
}
