// The ports through which secrets and randomness enter a core room. The daemon gives the real ones, the lab seeded ones.

/** An ephemeral key pair of one key exchange method (transform type 4). */
export interface KeyPair {
  readonly group: number;
  /** The KE payload's key exchange data: fixed length per group, X || Y for ECP (RFC 5903), little-endian for RFC 8031. */
  readonly publicValue: Uint8Array;
  /**
   * The shared secret g^ir, padded as the group's RFC says.
   * @throws CryptoError `bad-public-value` if the peer's value fails the checks of RFC 6989
   */
  agree(peerPublicValue: Uint8Array): Uint8Array;
  /** Forgets the private value. Idempotent. */
  destroy(): void;
}

/** How a signature is made and carried in AUTH (RFC 7296 2.15, RFC 4754, RFC 7427). */
export type SignatureScheme =
  | 'rsa-pkcs1-sha1'
  | 'rsa-pkcs1-sha256'
  | 'rsa-pkcs1-sha384'
  | 'rsa-pkcs1-sha512'
  | 'rsa-pss-sha256'
  | 'rsa-pss-sha384'
  | 'rsa-pss-sha512'
  | 'ecdsa-sha1'
  | 'ecdsa-sha256'
  | 'ecdsa-sha384'
  | 'ecdsa-sha512'
  | 'ed25519'
  | 'ed448';

/** The public half of a signing key. */
export interface PublicKey {
  readonly kind: 'rsa' | 'ecdsa' | 'ed25519' | 'ed448';
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** RSA modulus or curve size in bits. */
  readonly bits: number;
}

/** A handle on a private key: the octets stay behind the port that made it. */
export interface PrivateKey {
  readonly publicKey: PublicKey;
}

/** The three operations whose results a peer must not predict. */
export interface Randomness {
  bytes(count: number): Uint8Array;
  keyPair(group: number): KeyPair;
  /** ECDSA signatures are ASN.1 DER; callers convert to r || s where AUTH wants that. */
  sign(key: PrivateKey, scheme: SignatureScheme, data: Uint8Array): Uint8Array;
}
