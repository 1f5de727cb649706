// What the receivers of the packet thread work with.
import type { LsiTranslation, MemoryDataPlane, PacketSlot } from '#ipsec';
import type { DatagramBatch } from '../datagram-batch.ts';
import type { Coalescing } from '../offload/coalescing.ts';
import type { ControlHandOver } from './control-hand-over.ts';
import type { FloodGuard } from './flood-guard.ts';

/** System calls of one socket before the others get their turn. */
export const receivesMax = 2;

export interface Arrivals {
  readonly plane: MemoryDataPlane;
  readonly lsi: LsiTranslation;
  /** On the way to the device. */
  readonly coalescing: Coalescing;
  readonly control: ControlHandOver;
  readonly flood: FloodGuard;
  /** Carries out what the data plane asks for besides. */
  drain(): void;
  /** Datagrams of which the kernel did not say where they came to. */
  unaddressed: number;
}

/** Puts the addresses of a datagram into the slot, whose control messages were read; false if the kernel said nothing. */
export function takeAddresses(
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
