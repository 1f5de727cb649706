// Making and checking the AUTH payload: shared key, RSA, ECDSA and digital signatures (RFC 7296 2.15, 4754, 7427).
import {
  decodeAuthenticationAlgorithm,
  ecdsaMethodFor,
  ecdsaSignatureFromDer,
  ecdsaSignatureToDer,
  encodeAuthenticationAlgorithm,
  equalConstantTime,
  type PrivateKey,
  type PseudorandomFunction,
  type PublicKey,
  type Randomness,
  type SignatureScheme,
  verifySignature,
} from '#crypto';
import { AuthMethod, type AuthPayload } from '#wire';
import { chooseSignatureScheme, signatureHashOf } from './signature-hashes.ts';
import { sharedKeyAuth } from './signed-octets.ts';

export function makeSharedKeyAuth(
  prf: PseudorandomFunction,
  secret: Uint8Array,
  octets: Uint8Array,
): AuthPayload {
  return { type: 'AUTH', method: AuthMethod.SHARED_KEY, data: sharedKeyAuth(prf, secret, octets) };
}

/**
 * Signs with the best method both sides know.
 * @param peerHashes from the peer's SIGNATURE_HASH_ALGORITHMS; `undefined` if it sent none
 * @returns `undefined` if this key can make no signature that the peer understands
 */
export function makeSignatureAuth(
  randomness: Randomness,
  key: PrivateKey,
  peerHashes: readonly number[] | undefined,
  octets: Uint8Array,
): AuthPayload | undefined {
  const chosen = chooseSignatureScheme(key.publicKey, peerHashes);
  if (chosen === undefined) return undefined;
  const { method, scheme } = chosen;
  const signature = randomness.sign(key, scheme, octets);
  if (method === AuthMethod.DIGITAL_SIGNATURE) {
    return { type: 'AUTH', method, data: digitalSignature(scheme, signature) };
  }
  const fixed = ecdsaMethodFor(key.publicKey);
  const data = fixed === undefined ? signature : ecdsaSignatureFromDer(signature, fixed.signatureBytes);
  return { type: 'AUTH', method, data };
}

/** RFC 7427 3: one octet of length, the AlgorithmIdentifier, the signature. */
function digitalSignature(scheme: SignatureScheme, signature: Uint8Array): Uint8Array {
  const algorithm = encodeAuthenticationAlgorithm(scheme);
  const data = new Uint8Array(1 + algorithm.length + signature.length);
  data[0] = algorithm.length;
  data.set(algorithm, 1);
  data.set(signature, 1 + algorithm.length);
  return data;
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
export function checkAuth(payload: AuthPayload, evidence: AuthEvidence): AuthVerdict {
  const { octets, sharedKey, publicKey } = evidence;
  if (payload.method === AuthMethod.SHARED_KEY) {
    if (sharedKey === undefined) return refused('no shared key for these identities');
    const expected = sharedKeyAuth(sharedKey.prf, sharedKey.secret, octets);
    return equalConstantTime(expected, payload.data)
      ? { ok: true, method: 'psk' }
      : refused('shared keys differ');
  }
  if (publicKey === undefined) return refused('no public key to check the signature with');
  const signature = carriedSignature(payload, publicKey, evidence.announcedHashes);
  if ('reason' in signature) return refused(signature.reason);
  return verifySignature(publicKey, signature.scheme, octets, signature.octets)
    ? { ok: true, method: 'pubkey' }
    : refused(`${signature.scheme} signature does not verify`);
}

function refused(reason: string): AuthVerdict & { ok: false } {
  return { ok: false, reason };
}

type CarriedSignature =
  | { readonly scheme: SignatureScheme; readonly octets: Uint8Array }
  | { readonly reason: string };

function carriedSignature(
  payload: AuthPayload,
  key: PublicKey,
  announcedHashes: readonly number[],
): CarriedSignature {
  switch (payload.method) {
    case AuthMethod.DIGITAL_SIGNATURE:
      return carriedDigitalSignature(payload.data, key, announcedHashes);
    case AuthMethod.RSA_SIGNATURE:
      // RFC 7296 3.8: SHA-1 unless the two sides know better, which only method 14 can tell.
      if (key.kind !== 'rsa') return { reason: `RSA signature, but the key is ${key.kind}` };
      return { scheme: 'rsa-pkcs1-sha1', octets: payload.data };
    case AuthMethod.ECDSA_P256:
    case AuthMethod.ECDSA_P384:
    case AuthMethod.ECDSA_P521: {
      const fixed = ecdsaMethodFor(key);
      if (fixed?.method !== payload.method)
        return { reason: `method ${payload.method} does not suit the key` };
      const octets =
        payload.data.length === fixed.signatureBytes ? ecdsaSignatureToDer(payload.data) : undefined;
      return octets ? { scheme: fixed.scheme, octets } : { reason: 'ECDSA signature of wrong length' };
    }
    default:
      return { reason: `authentication method ${payload.method} is not supported` };
  }
}

function carriedDigitalSignature(
  data: Uint8Array,
  key: PublicKey,
  announcedHashes: readonly number[],
): CarriedSignature {
  const end = 1 + (data[0] ?? 0);
  const scheme = end < data.length ? decodeAuthenticationAlgorithm(data.subarray(1, end)) : undefined;
  if (scheme === undefined) return { reason: 'signature algorithm is not supported' };
  if (!scheme.startsWith(key.kind)) return { reason: `${scheme} signature, but the key is ${key.kind}` };
  if (!announcedHashes.includes(signatureHashOf(scheme))) {
    return { reason: `${scheme} uses a hash that was not announced` };
  }
  return { scheme, octets: data.subarray(end) };
}
