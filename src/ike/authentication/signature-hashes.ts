// SIGNATURE_HASH_ALGORITHMS: which hashes each side can verify, and the signature scheme that follows (RFC 7427 4).
import { ecdsaMethodFor, type PublicKey, type SignatureScheme, signatureSchemesFor } from '#crypto';
import { SignatureHash } from '#sa';
import { AuthMethod, readU16 } from '#wire';

const { SHA1, SHA2_256, SHA2_384, SHA2_512, IDENTITY } = SignatureHash;

/** What we announce, best first. SHA-1 is not among them (RFC 8247 4.2). */
export const ourSignatureHashes: readonly number[] = [SHA2_256, SHA2_384, SHA2_512, IDENTITY];

export function encodeSignatureHashes(hashes: readonly number[]): Uint8Array {
  return Uint8Array.from(hashes.flatMap((hash) => [hash >>> 8, hash]));
}

/** Unknown hashes are kept out; `undefined` if the data is no list of 16-bit numbers. */
export function decodeSignatureHashes(data: Uint8Array): number[] | undefined {
  if (data.length % 2 !== 0) return undefined;
  const hashes: number[] = [];
  for (let at = 0; at < data.length; at += 2) hashes.push(readU16(data, at));
  return knownHashes.filter((hash) => hashes.includes(hash));
}

const knownHashes: readonly number[] = Object.values(SignatureHash);

const hashOfScheme: Readonly<Record<SignatureScheme, number>> = {
  'rsa-pkcs1-sha1': SHA1,
  'rsa-pkcs1-sha256': SHA2_256,
  'rsa-pkcs1-sha384': SHA2_384,
  'rsa-pkcs1-sha512': SHA2_512,
  'rsa-pss-sha256': SHA2_256,
  'rsa-pss-sha384': SHA2_384,
  'rsa-pss-sha512': SHA2_512,
  'ecdsa-sha1': SHA1,
  'ecdsa-sha256': SHA2_256,
  'ecdsa-sha384': SHA2_384,
  'ecdsa-sha512': SHA2_512,
  // RFC 8420 2: these hash inside.
  ed25519: IDENTITY,
  ed448: IDENTITY,
};

/** The hash that a peer must have announced, or that we must have, for a signature of method 14. */
export function signatureHashOf(scheme: SignatureScheme): number {
  return hashOfScheme[scheme];
}

/** An AUTH method and how its signature is computed. */
export interface ChosenScheme {
  readonly method: number;
  readonly scheme: SignatureScheme;
}

/**
 * The scheme to sign with: method 14 if the peer announced a hash that suits the key, else method 1 or 9 to 11.
 * @param peerHashes `undefined` if the peer announced none
 * @returns `undefined` if the peer could not verify any signature of this key
 */
export function chooseSignatureScheme(
  key: PublicKey,
  peerHashes: readonly number[] | undefined,
): ChosenScheme | undefined {
  const scheme = signatureSchemesFor(key).find((candidate) => {
    const hash = signatureHashOf(candidate);
    return hash !== SHA1 && peerHashes?.includes(hash);
  });
  if (scheme !== undefined) return { method: AuthMethod.DIGITAL_SIGNATURE, scheme };
  if (key.kind === 'rsa') return { method: AuthMethod.RSA_SIGNATURE, scheme: 'rsa-pkcs1-sha1' };
  const fixed = ecdsaMethodFor(key);
  return fixed && { method: fixed.method, scheme: fixed.scheme };
}
