// Host Identity Tags as the wire carries them: 128 bits (RFC 7401 3.1, RFC 7343 2).
import { requireLength } from '../field.ts';

/**
 * A Host Identity Tag as 32 lower-case hexadecimal digits: comparable with ===, and with < as RFC 7401 6.5 compares
 * HITs, as unsigned numbers.
 */
export type Hit = string & { readonly hit: unique symbol };

export const hitLength = 16;

/** The receiver of an opportunistic I1 (RFC 7401 5.3.1), or of a NOTIFY to a host whose HIT is unknown. */
export const zeroHit: Hit = '00000000000000000000000000000000' as Hit;

/** 2001:20::/28, the prefix of all ORCHIDs of version 2 (RFC 7343 2): its 28 bits are seven digits. */
export const orchidPrefix = '2001002';

/** Throws `WireError('length')` unless there are 16 octets. */
export function hitFromBytes(bytes: Uint8Array): Hit {
  requireLength(bytes, hitLength, 0, 'HIT');
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('') as Hit;
}

export function hitBytes(hit: Hit): Uint8Array {
  const bytes = Uint8Array.from(hit.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  requireLength(bytes, hitLength, 0, 'HIT');
  return bytes;
}

/**
 * The four bits behind the prefix: the HIT Suite by which the tag was made, and which its owner speaks (RFC 7401
 * appendix E). `undefined` for 128 bits that are no ORCHID, as the zero HIT and HITs of HIP version 1.
 */
export function hitSuiteOf(hit: Hit): number | undefined {
  return hit.startsWith(orchidPrefix) ? Number.parseInt(hit[7] ?? '0', 16) : undefined;
}
