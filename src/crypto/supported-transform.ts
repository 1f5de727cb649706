// Whether this build can do what a transform of a proposal names.
import { Esn, Ke, type Transform } from '#sa';
import { cipherProfile } from './encryption/cipher-profile.ts';
import { supportedIntegrity } from './integrity/integrity-algorithm.ts';
import { supportedKeyExchange } from './key-exchange/key-exchange-method.ts';
import { supportedPrf } from './prf/pseudorandom-function.ts';

/**
 * True for a transform (RFC 7296 3.3.2) that can be used as it stands, key length included: AES needs one, nothing else
 * may have one (RFC 7296 3.3.4, 3.3.5). NONE of types 3 and 4 counts as supported; which combinations make sense, and that
 * NULL and GMAC are no ciphers for an IKE SA, is for the proposal to say.
 */
export function isSupportedTransform(transform: Transform): boolean {
  const { type, id, keyLengthBits } = transform;
  if (type === 1) {
    const lengths = cipherProfile(id)?.keyLengthsBits;
    if (lengths === undefined) return false;
    return lengths.length === 1 ? keyLengthBits === undefined : lengths.includes(keyLengthBits ?? 0);
  }
  if (keyLengthBits !== undefined) return false;
  if (type === 2) return supportedPrf(id);
  if (type === 3) return id === 0 || supportedIntegrity(id);
  if (type === 4) return id === Ke.NONE || supportedKeyExchange(id);
  if (type === 5) return id === Esn.NO || id === Esn.YES;
  return false;
}
