// Signing with randomness of the operating system, and verifying.
import {
  constants,
  type KeyObject,
  type SignKeyObjectInput,
  sign as signWith,
  verify as verifyWith,
} from 'node:crypto';
import { CryptoError } from '../error.ts';
import { plain } from '../key-material/octets.ts';
import type { PrivateKey, PublicKey, SignatureScheme } from '../ports.ts';
import { privateKeyObject } from './private-key.ts';
import { publicKeyObject } from './public-key.ts';
import { type SchemeProfile, schemeProfiles } from './signature-scheme.ts';

function withPadding(key: KeyObject, profile: SchemeProfile): SignKeyObjectInput {
  if (profile.kind === 'ecdsa') return { key, dsaEncoding: 'der' };
  if (profile.kind !== 'rsa') return { key };
  if (!profile.pss) return { key, padding: constants.RSA_PKCS1_PADDING };
  // RFC 8247 4.1.1 and RFC 4055 3.1: the salt is as long as the hash; MGF1 uses the same hash.
  return {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
}

/** The scheme's profile, if a key of this kind can use it. @throws CryptoError `unsupported` */
export function profileForKey(publicKey: PublicKey, scheme: SignatureScheme): SchemeProfile {
  const profile = schemeProfiles[scheme];
  if (profile?.kind !== publicKey.kind) {
    throw new CryptoError('unsupported', `${scheme} with a key of kind ${publicKey.kind}`);
  }
  return profile;
}

/** @throws CryptoError `unsupported` if the key cannot make such signatures */
export function sign(key: PrivateKey, scheme: SignatureScheme, data: Uint8Array): Uint8Array {
  const profile = profileForKey(key.publicKey, scheme);
  const input = withPadding(privateKeyObject(key), profile);
  try {
    return plain(signWith(profile.hash, data, input));
  } catch {
    throw new CryptoError('unsupported', `${scheme} with a key of ${key.publicKey.bits} bits`);
  }
}

/** Whether the signature is right. False, never an exception, for whatever else a peer may send. */
export function verifySignature(
  publicKey: PublicKey,
  scheme: SignatureScheme,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    const profile = profileForKey(publicKey, scheme);
    // RFC 8017 8.1.2 and 8.2.2 want the length of the modulus; OpenSSL accepts PSS without its leading zeros.
    if (profile.kind === 'rsa' && signature.length !== Math.ceil(publicKey.bits / 8)) return false;
    return verifyWith(profile.hash, data, withPadding(publicKeyObject(publicKey), profile), signature);
  } catch {
    return false;
  }
}
