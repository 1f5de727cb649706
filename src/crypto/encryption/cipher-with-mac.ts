// A cipher and a separate MAC, encrypt then MAC (RFC 4303 3.3.2, RFC 7296 3.14): CBC, AES-CTR, NULL.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { equalConstantTime, wipe } from '../key-material/secrets.ts';
import type { CipherFields, IntegrityAlgorithm, PacketCipher } from '../suites.ts';
import { checkAlive, checkFields, checkWholeBlocks } from './cipher-fields.ts';
import type { CipherProfile } from './cipher-profile.ts';

export class CipherWithMac implements PacketCipher {
  readonly combined = false;
  readonly ivBytes: number;
  readonly ivKind: 'random' | 'counter' | 'none';
  readonly icvBytes: number;
  readonly blockBytes: number;
  readonly #mode: CipherProfile['mode'];
  readonly #cipherName: string;
  /** Key and salt. */
  readonly #keyMaterial: Uint8Array;
  readonly #key: Uint8Array;
  readonly #salt: Uint8Array;
  readonly #mac: IntegrityAlgorithm;
  readonly #macKey: Uint8Array;
  #alive = true;

  /** Both keys are as taken from KEYMAT, of the right length, and from now on the cipher's to wipe. */
  constructor(
    profile: CipherProfile,
    keyLengthBits: number,
    keyMaterial: Uint8Array,
    mac: IntegrityAlgorithm,
    macKey: Uint8Array,
  ) {
    this.ivBytes = profile.ivBytes;
    this.ivKind = profile.ivKind;
    this.icvBytes = mac.icvBytes;
    this.blockBytes = profile.blockBytes;
    this.#mode = profile.mode;
    this.#cipherName = profile.cipherName(keyLengthBits);
    this.#keyMaterial = keyMaterial;
    this.#key = keyMaterial.subarray(0, keyLengthBits / 8);
    this.#salt = keyMaterial.subarray(keyLengthBits / 8);
    this.#mac = mac;
    this.#macKey = macKey;
  }

  /** What OpenSSL takes as IV: for AES-CTR the first counter block of RFC 3686 4, nonce | IV | 1. */
  #startBlock(iv: Uint8Array): Uint8Array {
    if (this.#mode !== 'ctr') return iv;
    const block = new Uint8Array(16);
    block.set(this.#salt);
    block.set(iv, 4);
    block[15] = 1;
    return block;
  }

  #icv(fields: CipherFields): Uint8Array {
    const tail = fields.authTail === undefined ? [] : [fields.authTail];
    return this.#mac.compute(this.#macKey, fields.aad, fields.iv, fields.text, ...tail);
  }

  seal(fields: CipherFields): void {
    checkAlive(this.#alive);
    checkFields(this, fields);
    checkWholeBlocks(this, fields.text);
    if (this.#mode !== 'null') {
      const cipher = createCipheriv(this.#cipherName, this.#key, this.#startBlock(fields.iv));
      fields.text.set(cipher.setAutoPadding(false).update(fields.text));
    }
    fields.icv.set(this.#icv(fields));
  }

  open(fields: CipherFields): boolean {
    checkAlive(this.#alive);
    checkFields(this, fields);
    if (!equalConstantTime(this.#icv(fields), fields.icv)) return false;
    // The length is the peer's: a broken sender must not make us throw.
    if (fields.text.length % this.blockBytes !== 0) return false;
    if (this.#mode !== 'null') {
      const decipher = createDecipheriv(this.#cipherName, this.#key, this.#startBlock(fields.iv));
      const plaintext = decipher.setAutoPadding(false).update(fields.text);
      fields.text.set(plaintext);
      wipe(plaintext);
    }
    return true;
  }

  destroy(): void {
    this.#alive = false;
    wipe(this.#keyMaterial, this.#macKey);
  }
}
