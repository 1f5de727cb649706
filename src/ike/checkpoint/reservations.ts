// How many sequence numbers of a Child SA are reserved at a time: enough for traffic never to wait for a disk, and no more.
import { type SaDirection, type SequenceNumber, sequenceAfter } from '#sa';

/** How far one SA's numbers are reserved. */
export interface Reserved {
  readonly limit: SequenceNumber;
  /** How many were reserved at a time. */
  readonly blockPackets: number;
  /** Monotonic milliseconds of the last extension. */
  readonly at: number;
}

/**
 * A restart passes over what is left of a block. Outbound that costs numbers, of which there are many; inbound the peer's
 * packets within it are taken for replays, so that a quiet SA has a small block.
 */
const blocks = {
  outbound: { first: 2 ** 16, min: 2 ** 16, max: 2 ** 22 },
  inbound: { first: 2 ** 12, min: 2 ** 8, max: 2 ** 22 },
} as const satisfies Record<
  SaDirection,
  { readonly first: number; readonly min: number; readonly max: number }
>;

const step = 8;
/** Half a block should last longer than a slow disk takes, and shorter than people wait. */
const lastsMsMin = 2_000;
const lastsMsMax = 60_000;

const none: SequenceNumber = { high: 0, low: 0 };

/** Of a fresh SA. @param former that of the SA which it replaces: their traffic is alike */
export function firstReservation(
  direction: SaDirection,
  at: number,
  esn: boolean,
  former?: Reserved,
): Reserved {
  const blockPackets = former?.blockPackets ?? blocks[direction].first;
  return { limit: sequenceAfter(none, blockPackets, esn), blockPackets, at };
}

/** More, now that `last` is used or received. */
export function extendedReservation(
  direction: SaDirection,
  reserved: Reserved,
  last: SequenceNumber,
  at: number,
  esn: boolean,
): Reserved {
  const { min, max } = blocks[direction];
  const lasted = at - reserved.at;
  let { blockPackets } = reserved;
  if (lasted < lastsMsMin) blockPackets = Math.min(max, blockPackets * step);
  else if (lasted > lastsMsMax) blockPackets = Math.max(min, Math.floor(blockPackets / step));
  const wanted = sequenceAfter(last, blockPackets, esn);
  // A block that shrinks must not take back what is promised.
  const limit = isBeyond(wanted, reserved.limit) ? wanted : reserved.limit;
  return { limit, blockPackets, at };
}

/** Of an SA that is taken over: behind everything that may have been used. */
export function renewedReservation(
  direction: SaDirection,
  { limit, blockPackets }: Omit<Reserved, 'at'>,
  at: number,
  esn: boolean,
): Reserved {
  const block = Math.min(blocks[direction].max, Math.max(blocks[direction].min, blockPackets));
  return { limit: sequenceAfter(limit, block, esn), blockPackets: block, at };
}

function isBeyond(a: SequenceNumber, b: SequenceNumber): boolean {
  return a.high > b.high || (a.high === b.high && a.low > b.low);
}
