// ECDSA signatures as SEQUENCE { r, s } in DER (RFC 7427) and as r | s of fixed length (RFC 4754, methods 9 to 11).
import { CryptoError } from '../error.ts';
import { concatenate } from '../key-material/octets.ts';
import type { PublicKey, SignatureScheme } from '../ports.ts';
import { publicKeyObject } from './public-key.ts';

/** An authentication method of RFC 4754, which fixes curve and hash together. */
export interface EcdsaMethod {
  /** The Auth Method of the AUTH payload. */
  readonly method: 9 | 10 | 11;
  readonly scheme: SignatureScheme;
  /** Octets of r | s. */
  readonly signatureBytes: number;
}

const methods: Readonly<Record<string, EcdsaMethod>> = {
  prime256v1: { method: 9, scheme: 'ecdsa-sha256', signatureBytes: 64 },
  secp384r1: { method: 10, scheme: 'ecdsa-sha384', signatureBytes: 96 },
  secp521r1: { method: 11, scheme: 'ecdsa-sha512', signatureBytes: 132 },
};

/** The one method of RFC 4754 for this key; `undefined` for keys that are not on its three curves. */
export function ecdsaMethodFor(publicKey: PublicKey): EcdsaMethod | undefined {
  if (publicKey.kind !== 'ecdsa') return undefined;
  return methods[publicKeyObject(publicKey).asymmetricKeyDetails?.namedCurve ?? ''];
}

/**
 * DER, as `Randomness.sign` gives it -> r | s.
 * @param signatureBytes length of r | s: twice that of the curve's order
 * @throws CryptoError `bad-length` if it is no such signature
 */
export function ecdsaSignatureFromDer(der: Uint8Array, signatureBytes: number): Uint8Array {
  const half = signatureBytes / 2;
  const header = der[1] === 0x81 ? 3 : 2;
  if (der[0] !== 0x30 || der[header - 1] !== der.length - header) throw notEcdsa();
  const result = new Uint8Array(signatureBytes);
  let at = header;
  for (const end of [half, signatureBytes]) {
    const length = der[at + 1] ?? 0;
    const digits = der.subarray(at + 2, at + 2 + length);
    const significant = digits[0] === 0 ? digits.subarray(1) : digits;
    if (der[at] !== 0x02 || digits.length !== length || length === 0 || significant.length > half)
      throw notEcdsa();
    result.set(significant, end - significant.length);
    at += 2 + length;
  }
  if (at !== der.length) throw notEcdsa();
  return result;
}

function notEcdsa(): CryptoError {
  return new CryptoError('bad-length', 'no ECDSA signature in DER of this curve');
}

/**
 * r | s, as a peer sent it -> DER, as `verifySignature` wants it.
 * @returns undefined for an odd or impossible length
 */
export function ecdsaSignatureToDer(signature: Uint8Array): Uint8Array | undefined {
  const half = signature.length / 2;
  if (!Number.isInteger(half) || half === 0 || half > 66) return undefined;
  const content = concatenate(integer(signature.subarray(0, half)), integer(signature.subarray(half)));
  const length = content.length < 0x80 ? [content.length] : [0x81, content.length];
  return concatenate(Uint8Array.of(0x30, ...length), content);
}

/** A positive DER INTEGER: no needless leading zeros, one where the highest bit would make it negative. */
function integer(digits: Uint8Array): Uint8Array {
  let start = 0;
  while (start < digits.length - 1 && digits[start] === 0) start++;
  const significant = digits.subarray(start);
  const sign = significant[0]! >= 0x80 ? [0] : [];
  return concatenate(Uint8Array.of(0x02, sign.length + significant.length, ...sign), significant);
}
