// AES-CBC, AES-CTR or no encryption, with HMAC (RFC 4303 3.3.2), on reused OpenSSL contexts.
import type { CipherFields, PacketCipher } from '#crypto';
import { pinned } from '../libc/libc.ts';
import { memoryAddress } from '../memory/memory-address.ts';
import { type Libcrypto, mustSucceed } from './libcrypto.ts';
import type { CipherShape } from './shape.ts';

/** Offsets in the cipher's own memory: first block of the cipher, lengths that OpenSSL reports, MAC, ESN's high word. */
const outBytesAt = 16;
const macAt = 32;
const macBytesMax = 64;
const tailAt = macAt + macBytesMax;
const tailBytes = 4;

/** Which algorithms, by OpenSSL's names. */
export interface CipherAndHmac {
  /** Absent: NULL encryption, and AH. */
  readonly cipher?: { readonly name: string; readonly keyBytes: number };
  readonly digest: string;
}

export class OpenSslCipherWithHmac implements PacketCipher {
  readonly combined = false;
  readonly ivBytes: number;
  readonly ivKind: PacketCipher['ivKind'];
  readonly icvBytes: number;
  readonly blockBytes: number;
  readonly #lib: Libcrypto;
  readonly #algorithms: CipherAndHmac;
  readonly #key: Uint8Array;
  /** RFC 3686 4: the nonce of AES-CTR; empty in CBC mode. */
  readonly #salt: Uint8Array;
  readonly #own: Uint8Array = pinned(tailAt + tailBytes);
  readonly #ownAddress: number = memoryAddress(this.#own);
  readonly #mac: number;
  #sealing = 0;
  #opening = 0;
  #alive = true;

  /** The keys are as taken from KEYMAT, and are copied. */
  constructor(
    lib: Libcrypto,
    shape: CipherShape,
    algorithms: CipherAndHmac,
    keyMaterial: Uint8Array,
    macKey: Uint8Array,
  ) {
    this.ivBytes = shape.ivBytes;
    this.ivKind = shape.ivKind;
    this.icvBytes = shape.icvBytes;
    this.blockBytes = shape.blockBytes;
    this.#lib = lib;
    this.#algorithms = algorithms;
    const keyBytes = algorithms.cipher?.keyBytes ?? 0;
    this.#key = pinned(keyBytes);
    this.#key.set(keyMaterial.subarray(0, keyBytes));
    // The `slice` of a Node Buffer would be a view.
    this.#salt = Uint8Array.from(keyMaterial.subarray(keyBytes));
    const digest = mustSucceed(lib.EVP_get_digestbyname(algorithms.digest), algorithms.digest);
    this.#mac = mustSucceed(lib.HMAC_CTX_new(), 'a context');
    const key = pinned(macKey.length);
    key.set(macKey);
    mustSucceed(lib.HMAC_Init_ex(this.#mac, memoryAddress(key), key.length, digest, 0), 'the key');
    key.fill(0);
  }

  seal(fields: CipherFields): void {
    this.#check(fields);
    if (fields.text.length % this.blockBytes !== 0) throw new Error('the text is padded by the caller');
    if (this.#algorithms.cipher !== undefined) {
      if (this.#sealing === 0) this.#sealing = this.#context(1);
      this.#crypt(this.#sealing, fields, 1);
    }
    this.#computeMac(fields);
    const { icv } = fields;
    for (let i = 0; i < icv.length; i++) icv[i] = this.#own[macAt + i]!;
  }

  open(fields: CipherFields): boolean {
    this.#check(fields);
    this.#computeMac(fields);
    const { icv, text } = fields;
    let difference = 0;
    for (let i = 0; i < icv.length; i++) difference |= icv[i]! ^ this.#own[macAt + i]!;
    if (difference !== 0 || text.length % this.blockBytes !== 0) return false;
    if (this.#algorithms.cipher !== undefined) {
      if (this.#opening === 0) this.#opening = this.#context(0);
      this.#crypt(this.#opening, fields, 0);
    }
    return true;
  }

  destroy(): void {
    if (!this.#alive) return;
    this.#alive = false;
    // Freeing wipes the key schedules.
    if (this.#sealing !== 0) this.#lib.EVP_CIPHER_CTX_free(this.#sealing);
    if (this.#opening !== 0) this.#lib.EVP_CIPHER_CTX_free(this.#opening);
    this.#lib.HMAC_CTX_free(this.#mac);
    this.#sealing = 0;
    this.#opening = 0;
    this.#key.fill(0);
    this.#salt.fill(0);
    this.#own.fill(0);
  }

  #check({ iv, icv, authTail }: CipherFields): void {
    if (!this.#alive) throw new Error('this cipher was destroyed');
    if (iv.length !== this.ivBytes || icv.length !== this.icvBytes) {
      throw new Error(`no packet of this cipher: IV ${iv.length}, ICV ${icv.length}`);
    }
    if (authTail !== undefined && authTail.length !== tailBytes)
      throw new Error('the high word has 4 octets');
  }

  #context(encrypt: 0 | 1): number {
    const lib = this.#lib;
    const { name } = this.#algorithms.cipher!;
    const context = mustSucceed(lib.EVP_CIPHER_CTX_new(), 'a context');
    const cipher = mustSucceed(lib.EVP_get_cipherbyname(name), name);
    const key = memoryAddress(this.#key);
    mustSucceed(lib.EVP_CipherInit_ex(context, cipher, 0, key, this.#ownAddress, encrypt), 'the key');
    mustSucceed(lib.EVP_CIPHER_CTX_set_padding(context, 0), 'padding');
    return context;
  }

  /** Encrypts or decrypts the text in place. */
  #crypt(context: number, { iv, text }: CipherFields, encrypt: 0 | 1): void {
    const own = this.#own;
    if (this.#salt.length > 0) {
      // RFC 3686 4: nonce, IV, block counter from 1.
      for (let i = 0; i < 4; i++) own[i] = this.#salt[i]!;
      for (let i = 0; i < 8; i++) own[4 + i] = iv[i]!;
      own[12] = 0;
      own[13] = 0;
      own[14] = 0;
      own[15] = 1;
    } else {
      for (let i = 0; i < iv.length; i++) own[i] = iv[i]!;
    }
    const lib = this.#lib;
    mustSucceed(lib.EVP_CipherInit_ex(context, 0, 0, 0, this.#ownAddress, encrypt), 'the IV');
    if (text.length === 0) return;
    const address = memoryAddress(text);
    const out = this.#ownAddress + outBytesAt;
    mustSucceed(lib.EVP_CipherUpdate(context, address, out, address, text.length), 'the cipher');
  }

  /** The whole MAC, into the cipher's own memory. */
  #computeMac({ aad, iv, text, authTail }: CipherFields): void {
    const lib = this.#lib;
    mustSucceed(lib.HMAC_Init_ex(this.#mac, 0, 0, 0, 0), 'the MAC');
    const start = memoryAddress(aad);
    const contiguous =
      aad.buffer === text.buffer &&
      (iv.length === 0 || (iv.buffer === text.buffer && iv.byteOffset === aad.byteOffset + aad.length)) &&
      text.byteOffset === aad.byteOffset + aad.length + iv.length;
    if (contiguous) {
      this.#update(start, aad.length + iv.length + text.length);
    } else {
      this.#update(start, aad.length);
      if (iv.length > 0) this.#update(memoryAddress(iv), iv.length);
      if (text.length > 0) this.#update(memoryAddress(text), text.length);
    }
    if (authTail !== undefined) {
      for (let i = 0; i < tailBytes; i++) this.#own[tailAt + i] = authTail[i]!;
      this.#update(this.#ownAddress + tailAt, tailBytes);
    }
    mustSucceed(
      lib.HMAC_Final(this.#mac, this.#ownAddress + macAt, this.#ownAddress + outBytesAt),
      'the MAC',
    );
  }

  #update(address: number, bytes: number): void {
    mustSucceed(this.#lib.HMAC_Update(this.#mac, address, bytes), 'the MAC');
  }
}
