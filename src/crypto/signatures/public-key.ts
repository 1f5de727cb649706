// Public keys: from DER to the plain description that this project passes around, and back to OpenSSL's object.
import { createPublicKey, type KeyObject, type PublicKeyInput } from 'node:crypto';
import { CryptoError } from '../error.ts';
import { plain } from '../key-material/octets.ts';
import type { PublicKey } from '../ports.ts';
import { signingCurve } from './curves.ts';

/** Importing costs more than verifying with some keys, and CA keys return often. */
const imported = new WeakMap<PublicKey, KeyObject>();

/** @throws CryptoError `bad-key` */
function importSpki(der: Uint8Array): KeyObject {
  try {
    // The types ask for a Buffer where every view will do.
    return createPublicKey({ key: der as PublicKeyInput['key'], format: 'der', type: 'spki' });
  } catch {
    throw new CryptoError('bad-key', 'no SubjectPublicKeyInfo that OpenSSL can read');
  }
}

/** What a key is for: HIP accepts a curve (RFC 7401 5.2.9, ECDSA_LOW) that is too weak for anything else. */
export type KeyPurpose = 'ike' | 'hip';

/**
 * A DER SubjectPublicKeyInfo -> public key.
 * @throws CryptoError `bad-key`, or `unsupported` for a kind of key or curve that makes no signatures of this purpose
 */
export function publicKeyFromSpki(der: Uint8Array, purpose: KeyPurpose = 'ike'): PublicKey {
  return describePublicKey(importSpki(der), purpose);
}

/** The key is public, or private with its public half taken. */
export function describePublicKey(key: KeyObject, purpose: KeyPurpose = 'ike'): PublicKey {
  const publicHalf = key.type === 'private' ? createPublicKey(key) : key;
  const description: PublicKey = {
    ...kindAndBits(publicHalf, purpose),
    spki: plain(publicHalf.export({ format: 'der', type: 'spki' })),
  };
  imported.set(description, publicHalf);
  return description;
}

function kindAndBits(key: KeyObject, purpose: KeyPurpose): Pick<PublicKey, 'kind' | 'bits'> {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { kind: 'rsa', bits: key.asymmetricKeyDetails?.modulusLength ?? 0 };
    case 'ec': {
      const curve = signingCurve(key.asymmetricKeyDetails?.namedCurve);
      if (curve === undefined || (curve.onlyHip && purpose !== 'hip')) {
        throw new CryptoError('unsupported', 'ECDSA key on an unknown curve');
      }
      return { kind: 'ecdsa', bits: curve.bits };
    }
    case 'ed25519':
      return { kind: 'ed25519', bits: 256 };
    case 'ed448':
      return { kind: 'ed448', bits: 456 };
    default:
      throw new CryptoError('unsupported', `no signatures with a key of type ${key.asymmetricKeyType}`);
  }
}

/** @throws CryptoError `bad-key` if the description was made elsewhere of octets that are no key */
export function publicKeyObject(key: PublicKey): KeyObject {
  let object = imported.get(key);
  if (object === undefined) {
    object = importSpki(key.spki);
    imported.set(key, object);
  }
  return object;
}
