// What the receivers of the packet thread work with.
import { type LsiTranslation, type MemoryDataPlane, type PacketSlot, Verdict } from '#ipsec';
import type { SaProtocol } from '#sa';
import { readU32 } from '#wire';
import type { OtherThreads } from '../../hand-over/other-threads.ts';
import { monotonicMs } from '../../libc/clock.ts';
import type { Coalescing } from '../../offload/coalescing.ts';
import { DatagramBatch } from '../../sockets/datagram-batch.ts';
import type { ControlHandOver } from '../control/control-hand-over.ts';
import type { FloodGate } from '../floods/flood-guard.ts';

/** System calls of one socket before the others get their turn. */
export const receivesMax = 2;

export interface Arrivals {
  readonly plane: MemoryDataPlane;
  readonly lsi: LsiTranslation;
  /** On the way to the device. */
  readonly coalescing: Coalescing;
  readonly control: ControlHandOver;
  /** Absent: this packet thread is alone. */
  readonly others: OtherThreads | undefined;
  /** Carries out what the data plane asks for besides. */
  drain(): void;
  /** Datagrams of which the kernel did not say where they came to. */
  unaddressed: number;
}

/** What a receiver does with each datagram of a batch; `PacketSlot` and batch are its own. */
export interface Receiver {
  readonly batch: DatagramBatch;
  readonly slot: PacketSlot;
  readonly gate: FloodGate;
  /** Whether it is done with here: so are most packets of a flood, before anything is made of their addresses. */
  isDismissed(datagram: number): boolean;
  /** The slot has its addresses. */
  open(datagram: number, at: number): void;
}

/** Takes what waits in a socket through the data plane, towards the device. */
export function receiveAll(arrivals: Arrivals, receiver: Receiver): void {
  const { batch, slot, gate } = receiver;
  for (let i = 0; i < receivesMax; i++) {
    const count = batch.receive();
    const at = monotonicMs();
    for (let datagram = 0; datagram < count; datagram++) {
      batch.readControl(datagram);
      if (receiver.isDismissed(datagram) || !takeAddresses(arrivals, slot, batch, datagram)) continue;
      receiver.open(datagram, at);
    }
    if (count < DatagramBatch.datagramsMax) {
      gate.drained();
      break;
    }
  }
  arrivals.coalescing.flush();
  arrivals.drain();
}

/** Whether a packet need not be looked at any further (`MemoryDataPlane.dismisses`). The slot gets the hash of its evidence. */
export function dismisses(
  { plane, others }: Arrivals,
  { slot, batch, gate }: Receiver,
  datagram: number,
  protocol: SaProtocol,
  spi: number,
): boolean {
  // The SPI of the one protocol is another's in the other.
  const hash = Math.imul(batch.remoteHash(datagram) ^ (protocol === 'esp' ? spi : ~spi), 0x9e37_79b1) >>> 0;
  slot.evidenceHash = hash;
  if (others?.receives(protocol, spi) === true || !plane.dismisses(protocol, spi, hash)) return false;
  gate.saw(batch.foldedRemote(datagram));
  return true;
}

/**
 * Puts the packet of the slot through the data plane, or gives it to the thread that has its SA. True: it is to be delivered.
 * @param spiAt where in the memory its SPI is
 */
export function opens(
  { plane, others }: Arrivals,
  { slot, batch, gate }: Receiver,
  slots: readonly [PacketSlot],
  datagram: number,
  at: number,
  spiAt: number,
): boolean {
  if (others !== undefined && spiAt + 4 <= slot.start + slot.length) {
    if (others.handOverInbound(readU32(slot.buffer, spiAt), slot)) return false;
  }
  plane.inboundBatch(slots, 1, at);
  if (slot.verdict === Verdict.UNKNOWN_SPI) gate.saw(batch.foldedRemote(datagram));
  return slot.verdict === Verdict.OPENED;
}

/** Puts the addresses of a datagram into the slot, whose control messages were read; false if the kernel said nothing. */
function takeAddresses(
  arrivals: Arrivals,
  slot: PacketSlot,
  batch: DatagramBatch,
  datagram: number,
): boolean {
  if (batch.local === undefined) {
    arrivals.unaddressed++;
    return false;
  }
  slot.buffer = batch.memory.octets;
  slot.local = batch.local;
  slot.remote = batch.remote(datagram);
  slot.trafficClass = batch.trafficClass;
  return true;
}
