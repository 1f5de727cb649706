// Which key exchange method to try first, and what an INVALID_KE_PAYLOAD may make us try next (RFC 7296 1.2, 1.3, 2.7).
import { Ke, type Proposal } from '#sa';
import { TransformType } from '#wire';

function groupsOf(proposals: readonly Proposal[]): number[] {
  return proposals.flatMap(({ transforms }) =>
    transforms.filter(({ type, id }) => type === TransformType.KE && id !== Ke.NONE).map(({ id }) => id),
  );
}

/** The group of the first KE payload; `undefined` if no proposal has one (a Child SA without fresh key exchange). */
export function firstKeyExchangeGroup(proposals: readonly Proposal[]): number | undefined {
  return groupsOf(proposals)[0];
}

/**
 * Initiator: the group to retry with after INVALID_KE_PAYLOAD. `undefined` if the notify's data is malformed, names a
 * group that we did not offer, or one already tried (which would loop).
 */
export function groupFromInvalidKe(
  data: Uint8Array,
  proposals: readonly Proposal[],
  tried: readonly number[],
): number | undefined {
  if (data.length !== 2) return undefined;
  const group = (data[0]! << 8) | data[1]!;
  return groupsOf(proposals).includes(group) && !tried.includes(group) ? group : undefined;
}

/** Responder: the data of an INVALID_KE_PAYLOAD notify. */
export function invalidKeData(group: number): Uint8Array {
  return Uint8Array.of(group >>> 8, group);
}
