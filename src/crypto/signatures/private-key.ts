// Handles on private keys. The key stays inside OpenSSL's object, which no property, JSON or inspection reaches.
import { createPrivateKey, type KeyObject, type PrivateKeyInput } from 'node:crypto';
import { CryptoError } from '../error.ts';
import type { PrivateKey, PublicKey } from '../ports.ts';
import { describePublicKey, type KeyPurpose } from './public-key.ts';

class PrivateKeyHandle implements PrivateKey {
  readonly publicKey: PublicKey;
  readonly #key: KeyObject;

  constructor(key: KeyObject, purpose: KeyPurpose) {
    this.publicKey = describePublicKey(key, purpose);
    this.#key = key;
  }

  static keyObject(handle: PrivateKey): KeyObject {
    if (!(#key in handle)) throw new CryptoError('bad-key', 'this handle belongs to another key store');
    return handle.#key;
  }
}

/**
 * For keys that Node loaded from a file or an engine.
 * @throws CryptoError `bad-key` for a public or secret key; `unsupported` for keys that make no signatures of this purpose
 */
export function privateKeyFromKeyObject(key: KeyObject, purpose: KeyPurpose = 'ike'): PrivateKey {
  if (key.type !== 'private') throw new CryptoError('bad-key', `a ${key.type} key is no private key`);
  return new PrivateKeyHandle(key, purpose);
}

/**
 * An unencrypted DER PrivateKeyInfo -> handle. The caller wipes its octets.
 * @throws CryptoError `bad-key` or `unsupported`
 */
export function privateKeyFromPkcs8(der: Uint8Array, purpose: KeyPurpose = 'ike'): PrivateKey {
  let key: KeyObject;
  try {
    // The types ask for a Buffer where every view will do.
    key = createPrivateKey({ key: der as PrivateKeyInput['key'], format: 'der', type: 'pkcs8' });
  } catch {
    throw new CryptoError('bad-key', 'no PrivateKeyInfo that OpenSSL can read');
  }
  return new PrivateKeyHandle(key, purpose);
}

/** For the signers of this room only. */
export function privateKeyObject(handle: PrivateKey): KeyObject {
  return PrivateKeyHandle.keyObject(handle);
}
