// Hash functions by name.
import { createHash } from 'node:crypto';
import { plain } from './octets.ts';

export type DigestName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** The hash of part | part | ... */
export function digest(name: DigestName, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash(name);
  for (const part of parts) hash.update(part);
  return plain(hash.digest());
}
