// HIP ciphers: parameters in and out of ENCRYPTED (RFC 7401 5.2.8, 5.2.18).
import { createCipheriv, createDecipheriv } from 'node:crypto';
import {
  decodeHipParameters,
  encodeHipParameters,
  HipCipher,
  type HipParameter,
  unlessMalformed,
} from '#wire';
import { CryptoError } from '../error.ts';
import { concatenate } from '../key-material/octets.ts';
import { wipe } from '../key-material/secrets.ts';
import type { Randomness } from '../ports.ts';

interface HipCipherProfile {
  readonly keyBytes: number;
  readonly ivBytes: number;
  /** OpenSSL's name; absent for NULL-ENCRYPT. */
  readonly name?: string;
}

const ciphers: ReadonlyMap<number, HipCipherProfile> = new Map<number, HipCipherProfile>([
  [HipCipher.NULL_ENCRYPT, { keyBytes: 0, ivBytes: 0 }],
  [HipCipher.AES_128_CBC, { keyBytes: 16, ivBytes: 16, name: 'aes-128-cbc' }],
  [HipCipher.AES_256_CBC, { keyBytes: 32, ivBytes: 16, name: 'aes-256-cbc' }],
]);

function profileOf(cipher: number): HipCipherProfile {
  const profile = ciphers.get(cipher);
  if (profile === undefined) throw new CryptoError('unsupported', `no HIP cipher ${cipher}`);
  return profile;
}

export function supportedHipCipher(cipher: number): boolean {
  return ciphers.has(cipher);
}

/** Octets of KEYMAT that a cipher's key takes. @throws CryptoError `unsupported` */
export function hipCipherKeyBytes(cipher: number): number {
  return profileOf(cipher).keyBytes;
}

/**
 * The body of an ENCRYPTED parameter: IV and ciphertext, padded as PKCS #5 has it.
 * @throws CryptoError `unsupported`, or `bad-key` for a key of the wrong length
 */
export function sealHipParameters(
  cipher: number,
  key: Uint8Array,
  parameters: readonly HipParameter[],
  randomness: Pick<Randomness, 'bytes'>,
): Uint8Array {
  const { ivBytes, name, keyBytes } = profileOf(cipher);
  if (key.length !== keyBytes)
    throw new CryptoError('bad-key', `${key.length} octets for HIP cipher ${cipher}`);
  const plaintext = encodeHipParameters(parameters);
  if (name === undefined) return plaintext;
  const iv = randomness.bytes(ivBytes);
  const sealing = createCipheriv(name, key, iv);
  const sealed = concatenate(iv, sealing.update(plaintext), sealing.final());
  wipe(plaintext);
  return sealed;
}

/**
 * The parameters inside ENCRYPTED; `undefined` if the body is no ciphertext of this key. The cipher authenticates
 * nothing: HIP_MAC has to be right before this is asked.
 * @throws CryptoError `unsupported`, or `bad-key` for a key of the wrong length
 */
export function openHipParameters(
  cipher: number,
  key: Uint8Array,
  body: Uint8Array,
): HipParameter[] | undefined {
  const { ivBytes, name, keyBytes } = profileOf(cipher);
  if (key.length !== keyBytes)
    throw new CryptoError('bad-key', `${key.length} octets for HIP cipher ${cipher}`);
  let plaintext = body;
  if (name !== undefined) {
    if (body.length < 2 * ivBytes || body.length % ivBytes !== 0) return undefined;
    try {
      const opening = createDecipheriv(name, key, body.subarray(0, ivBytes));
      plaintext = concatenate(opening.update(body.subarray(ivBytes)), opening.final());
    } catch {
      return undefined;
    }
  }
  return unlessMalformed(() => decodeHipParameters(plaintext));
}
