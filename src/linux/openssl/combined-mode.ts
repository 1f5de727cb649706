// AES-GCM and ChaCha20-Poly1305 on one reused OpenSSL context per direction: only nonce and tag change from packet to packet.
import type { CipherFields, PacketCipher } from '#crypto';
import type { EspPacketCipher } from '#ipsec';
import { writeU32 } from '#wire';
import { pinned } from '../libc/libc.ts';
import { memoryAddress } from '../memory/memory-address.ts';
import {
  EVP_CTRL_AEAD_SET_IV_FIXED,
  EVP_CTRL_AEAD_SET_IVLEN,
  type Libcrypto,
  mustSucceed,
  wholeIv,
} from './libcrypto.ts';
import type { CipherShape } from './shape.ts';

/** RFC 4106 4, RFC 7634 2: a salt of 4 octets and an IV of 8. */
const nonceBytes = 12;
const saltBytes = 4;

const espHeaderBytes = 8;

/** Offsets in the cipher's own memory: nonce, length that OpenSSL reports, associated data. */
const ivAt = saltBytes;
const outBytesAt = 16;
const associatedDataAt = 32;
const associatedDataBytesMax = 64;
/** The IV that OpenSSL has begun with already. */
const readyIvAt = 96;
const readyIvBytes = 8;
/**
 * Names of OSSL_CIPHER_PARAM_AEAD_TAG, AEAD_TLS1_GET_IV_GEN and AEAD_TLS1_SET_IV_INV, and behind them the parameters: a list for
 * each direction.
 */
const names = { tag: 104, tlsivgen: 112, tlsivinv: 128 } as const;
/** struct ossl_param_st: name, type, data, size, and a size that OpenSSL sets; one of zeros ends the list. */
const parameterBytes = 40;
const tagToGetAt = 144;
const ivToGenerateAt = tagToGetAt + parameterBytes;
const ivToTakeAt = ivToGenerateAt + 2 * parameterBytes;
const tagToExpectAt = ivToTakeAt + parameterBytes;
const ownBytes = tagToExpectAt + 2 * parameterBytes;
const OSSL_PARAM_OCTET_STRING = 5;
const two32 = 0x1_0000_0000;

export class OpenSslCombinedMode implements EspPacketCipher {
  readonly combined = true;
  readonly ivBytes: number;
  readonly ivKind: PacketCipher['ivKind'];
  readonly icvBytes: number;
  readonly blockBytes: number;
  readonly #lib: Libcrypto;
  readonly #cipher: number;
  readonly #key: Uint8Array;
  readonly #own: Uint8Array = pinned(ownBytes);
  readonly #ownAddress: number = memoryAddress(this.#own);
  readonly #words: Uint32Array = new Uint32Array(this.#own.buffer);
  /**
   * AES-GCM can be told to count its IV up itself, as TLS has it: together with the tag of one packet it begins the next, and
   * needs no new IV from us as long as ours counts up too. That is a call less per packet, and setting an IV is the dearest.
   */
  readonly #countsIvs: boolean;
  #sealing = 0;
  #opening = 0;
  /** Whether OpenSSL has begun with the IV at `readyIvAt`. */
  #ready = false;
  #alive = true;

  /** @param keyMaterial key and salt, which are copied */
  constructor(lib: Libcrypto, shape: CipherShape, cipherName: string, keyMaterial: Uint8Array) {
    this.ivBytes = shape.ivBytes;
    this.ivKind = shape.ivKind;
    this.icvBytes = shape.icvBytes;
    this.blockBytes = shape.blockBytes;
    this.#lib = lib;
    this.#cipher = mustSucceed(lib.EVP_get_cipherbyname(cipherName), cipherName);
    const keyBytes = keyMaterial.length - saltBytes;
    this.#key = pinned(keyBytes);
    this.#key.set(keyMaterial.subarray(0, keyBytes));
    this.#own.set(keyMaterial.subarray(keyBytes));
    this.#countsIvs = cipherName.endsWith('-gcm');
    for (const [name, at] of Object.entries(names)) {
      for (let i = 0; i < name.length; i++) this.#own[at + i] = name.charCodeAt(i);
    }
    this.#writeParameter(tagToGetAt, 'tag', 0, this.icvBytes);
    if (this.#countsIvs) this.#writeParameter(ivToGenerateAt, 'tlsivgen', readyIvAt, readyIvBytes);
    this.#writeParameter(ivToTakeAt, 'tlsivinv', ivAt, this.ivBytes);
    this.#writeParameter(tagToExpectAt, 'tag', 0, this.icvBytes);
  }

  seal(fields: CipherFields): void {
    this.#takeFields(fields);
    this.#seal(fields.aad.length, memoryAddress(fields.text), fields.text.length, memoryAddress(fields.icv));
  }

  open(fields: CipherFields): boolean {
    this.#takeFields(fields);
    return this.#open(
      fields.aad.length,
      memoryAddress(fields.text),
      fields.text.length,
      memoryAddress(fields.icv),
    );
  }

  sealEsp(octets: Uint8Array, start: number, textBytes: number, sequenceHigh: number): void {
    const aadBytes = this.#takeEspHeader(octets, start, textBytes, sequenceHigh);
    const text = memoryAddress(octets) + start + espHeaderBytes + this.ivBytes;
    this.#seal(aadBytes, text, textBytes, text + textBytes);
  }

  openEsp(octets: Uint8Array, start: number, textBytes: number, sequenceHigh: number): boolean {
    const aadBytes = this.#takeEspHeader(octets, start, textBytes, sequenceHigh);
    const text = memoryAddress(octets) + start + espHeaderBytes + this.ivBytes;
    return this.#open(aadBytes, text, textBytes, text + textBytes);
  }

  #seal(aadBytes: number, text: number, textBytes: number, icv: number): void {
    if (this.#sealing === 0) this.#sealing = this.#context(1);
    const lib = this.#lib;
    const context = this.#sealing;
    const own = this.#ownAddress;
    if (!this.#hasBegunWithIv()) this.#begin(context);
    this.#ready = false;
    const out = own + outBytesAt;
    this.#authenticate(context, aadBytes);
    if (textBytes > 0) mustSucceed(lib.EVP_CipherUpdate(context, text, out, text, textBytes), 'encryption');
    mustSucceed(lib.EVP_CipherFinal_ex(context, text, out), 'encryption');
    this.#writePointer(tagToGetAt + 16, icv);
    mustSucceed(lib.EVP_CIPHER_CTX_get_params(context, own + tagToGetAt), 'the tag');
    this.#ready = this.#countsIvs;
  }

  #hasBegunWithIv(): boolean {
    const words = this.#words;
    return (
      this.#ready &&
      words[readyIvAt / 4] === words[ivAt / 4] &&
      words[readyIvAt / 4 + 1] === words[ivAt / 4 + 1]
    );
  }

  #begin(context: number): void {
    const lib = this.#lib;
    const own = this.#ownAddress;
    if (!this.#countsIvs) {
      mustSucceed(lib.EVP_CipherInit_ex2(context, 0, 0, own, 1, 0), 'the nonce');
      return;
    }
    mustSucceed(lib.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IV_FIXED, wholeIv, own), 'the nonce');
    mustSucceed(lib.EVP_CIPHER_CTX_get_params(context, own + ivToGenerateAt), 'the nonce');
    this.#ready = true;
    // An IV used twice would give the key away (RFC 4106 3.1).
    if (!this.#hasBegunWithIv()) throw new Error('OpenSSL has begun with another IV');
  }

  #open(aadBytes: number, text: number, textBytes: number, icv: number): boolean {
    if (this.#opening === 0) this.#opening = this.#context(0);
    const lib = this.#lib;
    const context = this.#opening;
    const own = this.#ownAddress;
    this.#writePointer(tagToExpectAt + 16, icv);
    const begun = this.#countsIvs
      ? lib.EVP_CIPHER_CTX_set_params(context, own + ivToTakeAt)
      : lib.EVP_CipherInit_ex2(context, 0, 0, own, 0, own + tagToExpectAt);
    mustSucceed(begun, 'the nonce');
    const out = own + outBytesAt;
    this.#authenticate(context, aadBytes);
    if (textBytes > 0) mustSucceed(lib.EVP_CipherUpdate(context, text, out, text, textBytes), 'decryption');
    // OpenSSL compares in constant time.
    return lib.EVP_CipherFinal_ex(context, text, out) > 0;
  }

  destroy(): void {
    if (!this.#alive) return;
    this.#alive = false;
    // Freeing wipes the key schedule.
    if (this.#sealing !== 0) this.#lib.EVP_CIPHER_CTX_free(this.#sealing);
    if (this.#opening !== 0) this.#lib.EVP_CIPHER_CTX_free(this.#opening);
    this.#sealing = 0;
    this.#opening = 0;
    this.#key.fill(0);
    this.#own.fill(0);
  }

  #context(encrypt: 0 | 1): number {
    if (!this.#alive) throw new Error('this cipher was destroyed');
    const lib = this.#lib;
    const context = mustSucceed(lib.EVP_CIPHER_CTX_new(), 'a context');
    const key = memoryAddress(this.#key);
    mustSucceed(lib.EVP_CipherInit_ex(context, this.#cipher, 0, 0, 0, encrypt), 'the cipher');
    mustSucceed(lib.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, nonceBytes, 0), 'the nonce');
    const own = this.#ownAddress;
    mustSucceed(lib.EVP_CipherInit_ex(context, 0, 0, key, own, encrypt), 'the key');
    if (encrypt === 0 && this.#countsIvs) {
      mustSucceed(lib.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IV_FIXED, wholeIv, own), 'the salt');
    }
    return context;
  }

  #writeParameter(at: number, name: keyof typeof names, valueAt: number, valueBytes: number): void {
    this.#writePointer(at, this.#ownAddress + names[name]);
    this.#words[(at + 8) / 4] = OSSL_PARAM_OCTET_STRING;
    this.#writePointer(at + 16, this.#ownAddress + valueAt);
    this.#words[(at + 24) / 4] = valueBytes;
  }

  #writePointer(at: number, address: number): void {
    const high = Math.floor(address / two32);
    this.#words[at / 4] = address - high * two32;
    this.#words[at / 4 + 1] = high;
  }

  /** Copies nonce and associated data into the cipher's own memory. */
  #takeFields({ aad, iv, icv, authTail }: CipherFields): void {
    const { ivBytes, icvBytes } = this;
    // A pointer beyond these would be read or written without asking.
    if (iv.length !== ivBytes || icv.length !== icvBytes || aad.length > associatedDataBytesMax) {
      throw new Error(`no packet of this cipher: IV ${iv.length}, ICV ${icv.length}, data ${aad.length}`);
    }
    if (authTail !== undefined)
      throw new Error('a combined-mode cipher authenticates nothing behind the text');
    const own = this.#own;
    for (let i = 0; i < ivBytes; i++) own[ivAt + i] = iv[i]!;
    for (let i = 0; i < aad.length; i++) own[associatedDataAt + i] = aad[i]!;
  }

  /** The same for a whole ESP packet; RFC 4106 5: with ESN the high word stands between SPI and sequence number. */
  #takeEspHeader(octets: Uint8Array, start: number, textBytes: number, sequenceHigh: number): number {
    const end = start + espHeaderBytes + this.ivBytes + textBytes + this.icvBytes;
    // A pointer beyond the octets would be read or written without asking.
    if (!(start >= 0 && textBytes >= 0 && end <= octets.length)) throw new Error('the packet is not there');
    const own = this.#own;
    for (let i = 0; i < this.ivBytes; i++) own[ivAt + i] = octets[start + espHeaderBytes + i]!;
    for (let i = 0; i < 4; i++) own[associatedDataAt + i] = octets[start + i]!;
    let at = associatedDataAt + 4;
    if (sequenceHigh >= 0) {
      writeU32(own, at, sequenceHigh);
      at += 4;
    }
    for (let i = 4; i < espHeaderBytes; i++) own[at++] = octets[start + i]!;
    return at - associatedDataAt;
  }

  #authenticate(context: number, aadBytes: number): void {
    const own = this.#ownAddress;
    const done = this.#lib.EVP_CipherUpdate(context, 0, own + outBytesAt, own + associatedDataAt, aadBytes);
    mustSucceed(done, 'associated data');
  }
}
