// The signature schemes as a table: key kind, hash, padding.
import type { DigestName } from '../key-material/digest.ts';
import type { PublicKey, SignatureScheme } from '../ports.ts';

export interface SchemeProfile {
  readonly kind: PublicKey['kind'];
  /** Absent for EdDSA, which hashes inside. */
  readonly hash?: DigestName;
  readonly pss?: true;
}

export const schemeProfiles: Readonly<Record<SignatureScheme, SchemeProfile>> = {
  'rsa-pkcs1-sha1': { kind: 'rsa', hash: 'sha1' },
  'rsa-pkcs1-sha256': { kind: 'rsa', hash: 'sha256' },
  'rsa-pkcs1-sha384': { kind: 'rsa', hash: 'sha384' },
  'rsa-pkcs1-sha512': { kind: 'rsa', hash: 'sha512' },
  'rsa-pss-sha256': { kind: 'rsa', hash: 'sha256', pss: true },
  'rsa-pss-sha384': { kind: 'rsa', hash: 'sha384', pss: true },
  'rsa-pss-sha512': { kind: 'rsa', hash: 'sha512', pss: true },
  'ecdsa-sha1': { kind: 'ecdsa', hash: 'sha1' },
  'ecdsa-sha256': { kind: 'ecdsa', hash: 'sha256' },
  'ecdsa-sha384': { kind: 'ecdsa', hash: 'sha384' },
  'ecdsa-sha512': { kind: 'ecdsa', hash: 'sha512' },
  ed25519: { kind: 'ed25519' },
  ed448: { kind: 'ed448' },
};

/**
 * What a key can do, best first: PSS before PKCS #1 1.5 (RFC 8247 4.1.1), the hash that matches the curve first, SHA-1 last.
 */
export function signatureSchemesFor(publicKey: PublicKey): SignatureScheme[] {
  switch (publicKey.kind) {
    case 'ed25519':
    case 'ed448':
      return [publicKey.kind];
    case 'rsa':
      return [
        'rsa-pss-sha256',
        'rsa-pss-sha384',
        'rsa-pss-sha512',
        'rsa-pkcs1-sha256',
        'rsa-pkcs1-sha384',
        'rsa-pkcs1-sha512',
        'rsa-pkcs1-sha1',
      ];
    case 'ecdsa': {
      const matching =
        publicKey.bits > 384 ? 'ecdsa-sha512' : publicKey.bits > 256 ? 'ecdsa-sha384' : 'ecdsa-sha256';
      const others: SignatureScheme[] = ['ecdsa-sha256', 'ecdsa-sha384', 'ecdsa-sha512', 'ecdsa-sha1'];
      return [matching, ...others.filter((scheme) => scheme !== matching)];
    }
  }
}
