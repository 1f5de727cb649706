// SIGNATURE_HASH_ALGORITHMS: which hashes each side can verify, and the signature scheme that follows (RFC 7427 4).
import type { PublicKey, SignatureScheme } from '#crypto';

const todo = (): never => {
  throw new Error('not written yet');
};

/** What we announce, best first. */
export const ourSignatureHashes: readonly number[] = [];

export function encodeSignatureHashes(_hashes: readonly number[]): Uint8Array {
  return todo();
}

/** Unknown hashes are kept out; `undefined` if the data is no list of 16-bit numbers. */
export function decodeSignatureHashes(_data: Uint8Array): number[] | undefined {
  return todo();
}

/** The scheme to sign with: method 14 if the peer announced a hash that suits the key, else 1 or 9 to 11. */
export function chooseSignatureScheme(
  _key: PublicKey,
  _peerHashes: readonly number[] | undefined,
): { readonly method: number; readonly scheme: SignatureScheme } | undefined {
  return todo();
}
