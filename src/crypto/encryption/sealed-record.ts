// Octets that only the holder of one key can read or make: AES-256-GCM under a random 96-bit nonce.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { CryptoError } from '../error.ts';
import type { Randomness } from '../ports.ts';

/** Octets of a key for `sealRecord`. */
export const sealKeyBytes = 32;

const nonceBytes = 12;
const tagBytes = 16;

/** What sealing adds to a text: the nonce in front, the tag behind. */
export const sealOverheadBytes: number = nonceBytes + tagBytes;

function checkKey(key: Uint8Array): void {
  if (key.length !== sealKeyBytes) {
    throw new CryptoError('bad-key', `a sealing key has ${sealKeyBytes} octets, not ${key.length}`);
  }
}

/**
 * Nonce, ciphertext and tag. One key must seal fewer than 2^32 records (NIST SP 800-38D 8.3), so it has to be replaced
 * now and then.
 * @param associated authenticated beside the text, and to be given again to open it
 * @throws CryptoError `bad-key`
 */
export function sealRecord(
  randomness: Randomness,
  key: Uint8Array,
  associated: Uint8Array,
  text: Uint8Array,
): Uint8Array {
  checkKey(key);
  const nonce = randomness.bytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(associated);
  const sealed = new Uint8Array(sealOverheadBytes + text.length);
  sealed.set(nonce);
  sealed.set(cipher.update(text), nonceBytes);
  cipher.final();
  sealed.set(cipher.getAuthTag(), nonceBytes + text.length);
  return sealed;
}

/**
 * The text, or `undefined` if the record was not sealed with this key and `associated`, or is damaged.
 * @throws CryptoError `bad-key`
 */
export function openRecord(
  key: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  checkKey(key);
  if (sealed.length < sealOverheadBytes) return undefined;
  const end = sealed.length - tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(end));
  const text = new Uint8Array(decipher.update(sealed.subarray(nonceBytes, end)));
  try {
    decipher.final();
  } catch {
    text.fill(0);
    return undefined;
  }
  return text;
}
