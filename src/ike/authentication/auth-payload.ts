// Making and checking the AUTH payload: shared key, RSA, ECDSA and digital signatures (RFC 7296 2.15, 4754, 7427).
import type { PrivateKey, PseudorandomFunction, PublicKey, Randomness } from '#crypto';
import type { AuthPayload } from '#wire';

const todo = (): never => {
  throw new Error('not written yet');
};

export function makeSharedKeyAuth(
  _prf: PseudorandomFunction,
  _secret: Uint8Array,
  _octets: Uint8Array,
): AuthPayload {
  return todo();
}

/**
 * Signs with the best method both sides know.
 * @param peerHashes from the peer's SIGNATURE_HASH_ALGORITHMS; `undefined` if it sent none
 * @returns `undefined` if this key can make no signature that the peer understands
 */
export function makeSignatureAuth(
  _randomness: Randomness,
  _key: PrivateKey,
  _peerHashes: readonly number[] | undefined,
  _octets: Uint8Array,
): AuthPayload | undefined {
  return todo();
}

/** What is known of the peer when its AUTH is judged. */
export interface AuthEvidence {
  readonly octets: Uint8Array;
  /** For method 2: the secret found for both identities. */
  readonly sharedKey?: { readonly prf: PseudorandomFunction; readonly secret: Uint8Array } | undefined;
  /** For signatures: the key of the end-entity certificate. Whether to trust it is decided elsewhere. */
  readonly publicKey?: PublicKey | undefined;
  /** Hashes we announced; a method 14 signature with another one is refused. Empty: we announced none. */
  readonly announcedHashes: readonly number[];
}

export type AuthVerdict =
  | { readonly ok: true; readonly method: 'psk' | 'pubkey' }
  | { readonly ok: false; readonly reason: string };

/** Whether AUTH proves what it should. Never throws on a peer's octets. */
export function checkAuth(_payload: AuthPayload, _evidence: AuthEvidence): AuthVerdict {
  return todo();
}
