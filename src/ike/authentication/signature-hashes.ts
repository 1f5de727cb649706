// SIGNATURE_HASH_ALGORITHMS: which hashes each side can verify, and the signature scheme that follows (RFC 7427 4).
import type { PublicKey, SignatureScheme } from '#crypto';
import { SignatureHash } from '#sa';
import { AuthMethod } from '#wire';

const { SHA2_256, SHA2_384, SHA2_512, IDENTITY } = SignatureHash;

/** What we announce, best first. SHA-1 is not among them (RFC 8247 4.2). */
export const ourSignatureHashes: readonly number[] = [SHA2_256, SHA2_384, SHA2_512, IDENTITY];

export function encodeSignatureHashes(hashes: readonly number[]): Uint8Array {
  return Uint8Array.from(hashes.flatMap((hash) => [hash >>> 8, hash]));
}

/** Unknown hashes are kept out; `undefined` if the data is no list of 16-bit numbers. */
export function decodeSignatureHashes(data: Uint8Array): number[] | undefined {
  if (data.length % 2 !== 0) return undefined;
  const known: readonly number[] = Object.values(SignatureHash);
  const hashes = Array.from({ length: data.length / 2 }, (_, i) => (data[2 * i]! << 8) | data[2 * i + 1]!);
  return known.filter((hash) => hashes.includes(hash));
}

/** An AUTH method and how its signature is computed. */
export interface ChosenScheme {
  readonly method: number;
  readonly scheme: SignatureScheme;
}

/** RFC 8247 4.1.1 prefers PSS to PKCS #1 v1.5 under method 14. */
const rsaSchemes: readonly (readonly [number, SignatureScheme])[] = [
  [SHA2_256, 'rsa-pss-sha256'],
  [SHA2_384, 'rsa-pss-sha384'],
  [SHA2_512, 'rsa-pss-sha512'],
];

const ecdsaSchemes: readonly (readonly [number, SignatureScheme])[] = [
  [SHA2_256, 'ecdsa-sha256'],
  [SHA2_384, 'ecdsa-sha384'],
  [SHA2_512, 'ecdsa-sha512'],
];

/** RFC 4754: each of these methods is bound to one curve and one hash. The OIDs are those of the SubjectPublicKeyInfo. */
const fixedEcdsa: readonly (ChosenScheme & { readonly curve: readonly number[] })[] = [
  {
    method: AuthMethod.ECDSA_P256,
    scheme: 'ecdsa-sha256',
    curve: [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
  },
  {
    method: AuthMethod.ECDSA_P384,
    scheme: 'ecdsa-sha384',
    curve: [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
  },
  {
    method: AuthMethod.ECDSA_P521,
    scheme: 'ecdsa-sha512',
    curve: [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23],
  },
];

/** The scheme of method 9, 10 or 11 for this key; `undefined` if its curve has none. */
export function fixedEcdsaScheme(key: PublicKey): ChosenScheme | undefined {
  if (key.kind !== 'ecdsa') return undefined;
  // SEQUENCE { SEQUENCE { ecPublicKey, curve } ...}: both headers have two octets, ecPublicKey has nine; P-521's outer
  // length takes one more octet.
  const start = key.spki[1] === 0x81 ? 14 : 13;
  const found = fixedEcdsa.find(({ curve }) => curve.every((octet, i) => key.spki[start + i] === octet));
  return found && { method: found.method, scheme: found.scheme };
}

/**
 * The scheme to sign with: method 14 if the peer announced a hash that suits the key, else method 1 or 9 to 11.
 * @param peerHashes `undefined` if the peer announced none
 */
export function chooseSignatureScheme(
  key: PublicKey,
  peerHashes: readonly number[] | undefined,
): ChosenScheme | undefined {
  const digital = (scheme: SignatureScheme | undefined): ChosenScheme | undefined =>
    scheme && { method: AuthMethod.DIGITAL_SIGNATURE, scheme };
  const announced = (schemes: readonly (readonly [number, SignatureScheme])[]): SignatureScheme | undefined =>
    schemes.find(([hash]) => peerHashes?.includes(hash))?.[1];
  switch (key.kind) {
    case 'rsa':
      return (
        digital(announced(rsaSchemes)) ?? { method: AuthMethod.RSA_SIGNATURE, scheme: 'rsa-pkcs1-sha1' }
      );
    case 'ecdsa': {
      const enough = key.bits > 384 ? 2 : key.bits > 256 ? 1 : 0;
      const byStrength = [...ecdsaSchemes.slice(enough), ...ecdsaSchemes.slice(0, enough).reverse()];
      return digital(announced(byStrength)) ?? fixedEcdsaScheme(key);
    }
    case 'ed25519':
    case 'ed448':
      // RFC 8420 2: no other method carries these.
      return peerHashes?.includes(IDENTITY) ? digital(key.kind) : undefined;
  }
}
