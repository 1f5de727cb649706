// What a host that keeps checkpoints must remember of a Child SA beside what the data plane has.
import type { PacketKeys } from '#crypto';
import type { SaDirection } from '#sa';
import type { Reserved } from './reservations.ts';
import { wipePacketKeys } from './snapshot.ts';

/** One SA of a pair: a copy of its keys, and how far its sequence numbers are reserved. */
export interface RetainedSa {
  readonly keys: PacketKeys;
  readonly reserved: Reserved;
}

export type RetainedPair = Record<SaDirection, RetainedSa>;

export function wipeRetained(pair: RetainedPair | undefined): void {
  if (pair === undefined) return;
  wipePacketKeys(pair.inbound.keys);
  wipePacketKeys(pair.outbound.keys);
}
