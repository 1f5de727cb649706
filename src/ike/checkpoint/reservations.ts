// How many sequence numbers of a Child SA are reserved at a time: enough for traffic never to wait for a disk, and no more.
import { type SaDirection, type SequenceNumber, sequenceAfter, sequenceDistance } from '#sa';

/** How far one SA's numbers are reserved. */
export interface Reserved {
  readonly limit: SequenceNumber;
  /** How many were reserved at a time. */
  readonly blockPackets: number;
  /** What was used or received at the last extension, and when that was, in monotonic milliseconds. */
  readonly last: SequenceNumber;
  readonly at: number;
}

/**
 * A restart passes over what is left of a block. Outbound that costs numbers, of which there are many; inbound the peer's
 * packets within it are taken for replays, so that a block should not outlast the restart.
 */
const blocks = {
  outbound: { first: 2 ** 16, min: 2 ** 16, max: 2 ** 22 },
  inbound: { first: 2 ** 8, min: 2 ** 5, max: 2 ** 22 },
} as const satisfies Record<
  SaDirection,
  { readonly first: number; readonly min: number; readonly max: number }
>;

/** How long a block lasts. More is asked for at half of it, and has to be durable before the other half is used up. */
const blockLastsMs = 1_000;
/** A burst is no rate: from one block to the next there is no more than this factor. */
const stepMax = 8;

const none: SequenceNumber = { high: 0, low: 0 };

/** Of a fresh SA. @param former that of the SA which it replaces: their traffic is alike */
export function firstReservation(
  direction: SaDirection,
  at: number,
  esn: boolean,
  former?: Reserved,
): Reserved {
  const blockPackets = former?.blockPackets ?? blocks[direction].first;
  return { limit: sequenceAfter(none, blockPackets, esn), blockPackets, last: none, at };
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
  const perMs = sequenceDistance(reserved.last, last) / Math.max(1, at - reserved.at);
  const steady = Math.min(
    reserved.blockPackets * stepMax,
    Math.max(reserved.blockPackets / stepMax, perMs * blockLastsMs),
  );
  const blockPackets = Math.ceil(Math.min(max, Math.max(min, steady)));
  const wanted = sequenceAfter(last, blockPackets, esn);
  // A block that shrinks must not take back what is promised.
  const limit = isBeyond(wanted, reserved.limit) ? wanted : reserved.limit;
  return { limit, blockPackets, last, at };
}

/** Of an SA that is taken over: behind everything that may have been used. */
export function renewedReservation(
  direction: SaDirection,
  { limit, blockPackets }: Pick<Reserved, 'limit' | 'blockPackets'>,
  at: number,
  esn: boolean,
): Reserved {
  const block = Math.min(blocks[direction].max, Math.max(blocks[direction].min, blockPackets));
  return { limit: sequenceAfter(limit, block, esn), blockPackets: block, last: limit, at };
}

function isBeyond(a: SequenceNumber, b: SequenceNumber): boolean {
  return a.high > b.high || (a.high === b.high && a.low > b.low);
}
