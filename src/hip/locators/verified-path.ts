// Ways, and the one by which the peer has certainly been reached.
import type { HipAssociation, Standing } from '../association.ts';
import type { HipPath } from '../interface.ts';

export function isSameWay(one: HipPath, other: HipPath): boolean {
  return one.local.address === other.local.address && one.remote.address === other.remote.address;
}

/** Where the peer certainly is. Others must not be sent anywhere else for its sake. */
export function verifiedPath({ path }: HipAssociation, { limited, provenPath }: Standing): HipPath {
  return limited ? provenPath : path;
}
