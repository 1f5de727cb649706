// Inbound AH (RFC 4302), always native: from a raw socket through the data plane towards the device.
import { PacketSlot } from '#ipsec';
import { addressBytes } from '#sa';
import { IpProtocol, readU32, writeU16 } from '#wire';
import type { PacketMemory } from '../../memory/packet-memory.ts';
import { DatagramBatch } from '../../sockets/datagram-batch.ts';
import type { DatagramSocket } from '../../sockets/datagram-socket.ts';
import type { FloodGate } from '../floods/flood-guard.ts';
import { type Arrivals, dismisses, opens, type Receiver, receiveAll } from './arrivals.ts';

const ipv6HeaderBytes = 40;
/** SPI and sequence number stand in these (RFC 4302 2). */
const ahFixedBytes = 12;
/** Of a packet whose own is not told: transport mode delivers it. */
const hopLimit = 64;

/** One for each raw socket. */
export class AhReceiver implements Receiver {
  readonly batch: DatagramBatch;
  readonly slot: PacketSlot = new PacketSlot();
  readonly gate: FloodGate;
  readonly #slots: readonly [PacketSlot] = [this.slot];
  readonly #arrivals: Arrivals;
  readonly #socket: DatagramSocket;

  /** @param memory of which it takes as much as a batch */
  constructor(arrivals: Arrivals, socket: DatagramSocket, memory: PacketMemory, gate: FloodGate) {
    this.#arrivals = arrivals;
    this.gate = gate;
    this.#socket = socket;
    this.batch = new DatagramBatch(socket, memory);
    this.slot.protocol = 'ah';
  }

  receive(): void {
    receiveAll(this.#arrivals, this);
  }

  isDismissed(datagram: number): boolean {
    const { batch } = this;
    const ahAt = batch.start(datagram) + batch.ipHeaderBytes(datagram);
    this.slot.evidenceHash = undefined;
    if (batch.start(datagram) + batch.length(datagram) - ahAt < ahFixedBytes) return false;
    const spi = readU32(batch.memory.octets, ahAt + 4);
    return dismisses(this.#arrivals, this, datagram, 'ah', spi);
  }

  open(datagram: number, at: number): void {
    const { batch, slot } = this;
    slot.start = batch.start(datagram);
    slot.length = batch.length(datagram);
    const spiAt = slot.start + batch.ipHeaderBytes(datagram) + 4;
    if (this.#socket.family === 6) writeIpv6Header(slot);
    if (opens(this.#arrivals, this, this.#slots, datagram, at, spiAt)) {
      this.#arrivals.coalescing.take(slot.start, slot.length);
    }
  }

  /** Forgets the octets of all packets. */
  wipe(): void {
    this.batch.wipe();
  }
}

/**
 * A raw IPv6 socket keeps the header to itself. AH covers of it what is put before the packet again here, and only that
 * (RFC 4302 3.3.3.1.2): class, flow label and hop limit may change on the way. Extension headers before AH are lost, so
 * that a packet that had some is not authentic to us.
 */
function writeIpv6Header(slot: PacketSlot): void {
  const { buffer } = slot;
  slot.start -= ipv6HeaderBytes;
  const at = slot.start;
  buffer.fill(0, at, at + ipv6HeaderBytes);
  buffer[at] = 0x60 | (slot.trafficClass >>> 4);
  buffer[at + 1] = (slot.trafficClass & 0x0f) << 4;
  writeU16(buffer, at + 4, slot.length);
  buffer[at + 6] = IpProtocol.AH;
  buffer[at + 7] = hopLimit;
  buffer.set(addressBytes(slot.remote!.address), at + 8);
  buffer.set(addressBytes(slot.local!.address), at + 24);
  slot.length += ipv6HeaderBytes;
}
