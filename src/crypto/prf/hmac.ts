// HMAC (RFC 2104), which serves as PRF and, truncated, as integrity algorithm (RFC 2404, RFC 4868).
import { createHmac } from 'node:crypto';
import type { DigestName } from '../key-material/digest.ts';
import { plain } from '../key-material/octets.ts';

export function hmac(name: DigestName, key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac(name, key);
  for (const part of parts) mac.update(part);
  return plain(mac.digest());
}
