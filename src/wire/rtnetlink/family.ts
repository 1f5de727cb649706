// The address family that most structures of rtnetlink begin with.
import { WireError } from '../error.ts';

const AF_INET = 2;
const AF_INET6 = 10;

/** Of an address of 4 or 16 octets. Throws `WireError('length')` for others. */
export function familyOf(address: Uint8Array, field: string): number {
  if (address.length === 4) return AF_INET;
  if (address.length === 16) return AF_INET6;
  throw new WireError('length', 0, field, `${address.length} octets`);
}

export function familyOfVersion(version: 4 | 6): number {
  return version === 4 ? AF_INET : AF_INET6;
}
