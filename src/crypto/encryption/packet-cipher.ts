// From the keys of one direction of one SA to the object that seals and opens its packets.
import { Encr, type EncryptionChoice, Integ } from '#sa';
import { CryptoError } from '../error.ts';
import { integrityAlgorithm } from '../integrity/integrity-algorithm.ts';
import type { PacketCipher } from '../suites.ts';
import { resolveChoice } from './cipher-profile.ts';
import { CipherWithMac } from './cipher-with-mac.ts';
import { CombinedModeCipher } from './combined-mode-cipher.ts';

/** The keys of one direction, in the shape of `SaParameters`. */
export interface PacketKeys {
  /** Absent: AH, where the whole text is only authenticated. */
  readonly encryption?: EncryptionChoice & {
    /** As taken from KEYMAT, salt at the end. */
    readonly key: Uint8Array;
  };
  readonly integrity?: { readonly id: number; readonly key: Uint8Array };
}

/**
 * A keyed cipher. It copies the keys and wipes its copies on `destroy()`; the caller's stay the caller's.
 * @throws CryptoError `unsupported` for unknown algorithms and for combinations that would leave packets without
 *   integrity (RFC 8221 4) or with two ICVs; `bad-key` for keys of the wrong length
 */
export function packetCipher(keys: PacketKeys): PacketCipher {
  const encryption = keys.encryption ?? { id: Encr.NULL, keyLengthBits: 0, key: new Uint8Array(0) };
  const integrity = keys.integrity?.id === Integ.NONE ? undefined : keys.integrity;
  const { profile, keyLengthBits } = resolveChoice(encryption);
  const expected = keyLengthBits / 8 + profile.saltBytes;
  if (encryption.key.length !== expected) {
    throw new CryptoError(
      'bad-key',
      `encryption algorithm ${encryption.id} takes ${expected} octets, not ${encryption.key.length}`,
    );
  }
  if (profile.icvBytes > 0) {
    if (integrity !== undefined) {
      throw new CryptoError('unsupported', 'a combined-mode cipher takes no integrity algorithm');
    }
    return new CombinedModeCipher(profile, keyLengthBits, copyOf(encryption.key));
  }
  if (integrity === undefined) {
    throw new CryptoError(
      'unsupported',
      `encryption algorithm ${encryption.id} needs an integrity algorithm`,
    );
  }
  const mac = integrityAlgorithm(integrity.id);
  if (integrity.key.length !== mac.keyBytes) {
    throw new CryptoError(
      'bad-key',
      `integrity algorithm ${mac.id} takes ${mac.keyBytes} octets, not ${integrity.key.length}`,
    );
  }
  return new CipherWithMac(profile, keyLengthBits, copyOf(encryption.key), mac, copyOf(integrity.key));
}

/** The `slice` of a Node Buffer would be a view. */
function copyOf(key: Uint8Array): Uint8Array {
  return new Uint8Array(key);
}
