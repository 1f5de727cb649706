// Combined-mode ciphers: AES-GCM (RFC 4106), AES-CCM (RFC 4309), ChaCha20-Poly1305 (RFC 7634), AES-GMAC (RFC 4543).
// RFC 5282 gives GCM and CCM, and RFC 7634 ChaCha20-Poly1305, the same layout in SK payloads.
import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM } from 'node:crypto';
import { concatenate } from '../key-material/octets.ts';
import { wipe } from '../key-material/secrets.ts';
import type { CipherFields, PacketCipher } from '../suites.ts';
import { checkAlive, checkFields } from './cipher-fields.ts';
import type { CipherProfile } from './cipher-profile.ts';

const nothing = new Uint8Array(0);

/** Node types the AEADs by name; all three take and give the same as far as it is used here. */
interface Aead {
  seal(key: Uint8Array, nonce: Uint8Array): CipherGCM;
  open(key: Uint8Array, nonce: Uint8Array): DecipherGCM;
}

function aead(profile: CipherProfile, keyLengthBits: number): Aead {
  const name = profile.cipherName(keyLengthBits) as 'aes-128-gcm';
  const options = { authTagLength: profile.icvBytes };
  return {
    seal: (key, nonce) => createCipheriv(name, key, nonce, options),
    open: (key, nonce) => createDecipheriv(name, key, nonce, options),
  };
}

export class CombinedModeCipher implements PacketCipher {
  readonly combined = true;
  readonly ivBytes: number;
  readonly ivKind: 'random' | 'counter' | 'none';
  readonly icvBytes: number;
  readonly blockBytes: number;
  readonly #aead: Aead;
  readonly #mode: CipherProfile['mode'];
  /** Key and salt. */
  readonly #keyMaterial: Uint8Array;
  readonly #key: Uint8Array;
  /** Salt, then room for the IV of the packet at hand. */
  readonly #nonce: Uint8Array;
  readonly #saltBytes: number;
  #alive = true;

  /** @param keyMaterial key and salt as taken from KEYMAT, of the right length; from now on the cipher's to wipe */
  constructor(profile: CipherProfile, keyLengthBits: number, keyMaterial: Uint8Array) {
    this.ivBytes = profile.ivBytes;
    this.ivKind = profile.ivKind;
    this.icvBytes = profile.icvBytes;
    this.blockBytes = profile.blockBytes;
    this.#aead = aead(profile, keyLengthBits);
    this.#mode = profile.mode;
    this.#keyMaterial = keyMaterial;
    this.#key = keyMaterial.subarray(0, keyLengthBits / 8);
    this.#nonce = new Uint8Array(profile.saltBytes + profile.ivBytes);
    this.#nonce.set(keyMaterial.subarray(keyLengthBits / 8));
    this.#saltBytes = profile.saltBytes;
  }

  /** RFC 4543 3.3: GMAC authenticates the text as additional data and encrypts nothing. */
  #associatedData(fields: CipherFields): Uint8Array {
    // The text of the RFC leaves the IV out, its figure 4 has it in; the Linux kernel and the test vectors have it in.
    return this.#mode === 'gmac' ? concatenate(fields.aad, fields.iv, fields.text) : fields.aad;
  }

  seal(fields: CipherFields): void {
    checkAlive(this.#alive);
    checkFields(this, fields);
    this.#nonce.set(fields.iv, this.#saltBytes);
    const cipher = this.#aead.seal(this.#key, this.#nonce);
    const text = this.#mode === 'gmac' ? nothing : fields.text;
    cipher.setAAD(this.#associatedData(fields), { plaintextLength: text.length });
    // CCM needs its update even for no text at all.
    text.set(cipher.update(text));
    cipher.final();
    fields.icv.set(cipher.getAuthTag());
  }

  open(fields: CipherFields): boolean {
    checkAlive(this.#alive);
    checkFields(this, fields);
    this.#nonce.set(fields.iv, this.#saltBytes);
    const decipher = this.#aead.open(this.#key, this.#nonce);
    const text = this.#mode === 'gmac' ? nothing : fields.text;
    decipher.setAuthTag(fields.icv);
    decipher.setAAD(this.#associatedData(fields), { plaintextLength: text.length });
    try {
      const plaintext = decipher.update(text);
      decipher.final();
      text.set(plaintext);
      wipe(plaintext);
      return true;
    } catch {
      // OpenSSL compares tags in constant time; a mismatch is the only way to fail from here on.
      return false;
    }
  }

  destroy(): void {
    this.#alive = false;
    wipe(this.#keyMaterial, this.#nonce);
  }
}
