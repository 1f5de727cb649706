// Sequence numbers of ESP and AH (RFC 4303 2.2, 2.2.1), and how far they may be used before a crash must know of it.

/** A sequence number of 64 bits as two unsigned words; `high` is 0 without ESN. */
export interface SequenceNumber {
  readonly high: number;
  readonly low: number;
}

/** Which numbers of an SA may be used, where a host that starts again must not use or accept any of them twice. */
export interface SequenceReservation {
  /** The highest number that may have been used (outbound) or received (inbound): the SA goes on behind it. */
  readonly last: SequenceNumber;
  /** The highest number that may be used or received until the reservation is extended. */
  readonly limit: SequenceNumber;
}

const two32 = 0x1_0000_0000;

/** The number that comes `count` later, or the last one there is. @param count below 2^53 */
export function sequenceAfter({ high, low }: SequenceNumber, count: number, esn: boolean): SequenceNumber {
  const sum = low + (count % two32);
  const carried = high + Math.floor(count / two32) + (sum < two32 ? 0 : 1);
  const highMax = esn ? 0xffff_ffff : 0;
  return carried > highMax ? { high: highMax, low: 0xffff_ffff } : { high: carried, low: sum % two32 };
}

/** How far `to` lies behind `from`; exact up to 2^53. */
export function sequenceDistance(from: SequenceNumber, to: SequenceNumber): number {
  return (to.high - from.high) * two32 + (to.low - from.low);
}
