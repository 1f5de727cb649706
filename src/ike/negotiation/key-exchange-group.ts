// Which key exchange method to try first, and what an INVALID_KE_PAYLOAD may make us try next (RFC 7296 1.2, 1.3, 2.7).
import type { Proposal } from '#sa';

const todo = (): never => {
  throw new Error('not written yet');
};

/** The group of the first KE payload; `undefined` if no proposal has one (a Child SA without fresh key exchange). */
export function firstKeyExchangeGroup(_proposals: readonly Proposal[]): number | undefined {
  return todo();
}

/**
 * Initiator: the group to retry with after INVALID_KE_PAYLOAD. `undefined` if the notify's data is malformed, names a
 * group that we did not offer, or one already tried (which would loop).
 */
export function groupFromInvalidKe(
  _data: Uint8Array,
  _proposals: readonly Proposal[],
  _tried: readonly number[],
): number | undefined {
  return todo();
}

/** Responder: the data of an INVALID_KE_PAYLOAD notify. */
export function invalidKeData(_group: number): Uint8Array {
  return todo();
}
