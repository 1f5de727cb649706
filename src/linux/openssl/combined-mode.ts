// AES-GCM and ChaCha20-Poly1305 on one reused OpenSSL context per direction: only nonce and tag change from packet to packet.
import type { CipherFields, PacketCipher } from '#crypto';
import type { EspPacketCipher } from '#ipsec';
import { writeU32 } from '#wire';
import { pinned } from '../libc.ts';
import { memoryAddress } from '../memory-address.ts';
import { EVP_CTRL_AEAD_SET_IVLEN, type Libcrypto, mustSucceed } from './libcrypto.ts';
import type { CipherShape } from './shape.ts';

/** RFC 4106 4, RFC 7634 2: a salt of 4 octets and an IV of 8. */
const nonceBytes = 12;
const saltBytes = 4;

const espHeaderBytes = 8;

/** Offsets in the cipher's own memory: nonce, length that OpenSSL reports, associated data, and where the ICV is. */
const outBytesAt = 16;
const associatedDataAt = 32;
const associatedDataBytesMax = 64;
const tagNameAt = 96;
/** struct ossl_param_st: name, type, data, size, and a size that OpenSSL sets; one of zeros ends the list. */
const tagParameterAt = 104;
const parameterBytes = 40;
const ownBytes = tagParameterAt + 2 * parameterBytes;
const tagName = Uint8Array.of(0x74, 0x61, 0x67, 0);
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
  #sealing = 0;
  #opening = 0;
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
    this.#own.set(tagName, tagNameAt);
    this.#writePointer(tagParameterAt, this.#ownAddress + tagNameAt);
    this.#words[(tagParameterAt + 8) / 4] = OSSL_PARAM_OCTET_STRING;
    this.#words[(tagParameterAt + 24) / 4] = this.icvBytes;
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
    this.#begin(context, aadBytes, 1, 0);
    const out = this.#ownAddress + outBytesAt;
    if (textBytes > 0) mustSucceed(lib.EVP_CipherUpdate(context, text, out, text, textBytes), 'encryption');
    mustSucceed(lib.EVP_CipherFinal_ex(context, text, out), 'encryption');
    this.#writePointer(tagParameterAt + 16, icv);
    mustSucceed(lib.EVP_CIPHER_CTX_get_params(context, this.#ownAddress + tagParameterAt), 'the tag');
  }

  #open(aadBytes: number, text: number, textBytes: number, icv: number): boolean {
    if (this.#opening === 0) this.#opening = this.#context(0);
    const lib = this.#lib;
    const context = this.#opening;
    this.#writePointer(tagParameterAt + 16, icv);
    this.#begin(context, aadBytes, 0, this.#ownAddress + tagParameterAt);
    const out = this.#ownAddress + outBytesAt;
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
    mustSucceed(lib.EVP_CipherInit_ex(context, 0, 0, key, this.#ownAddress, encrypt), 'the key');
    return context;
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
    for (let i = 0; i < ivBytes; i++) own[saltBytes + i] = iv[i]!;
    for (let i = 0; i < aad.length; i++) own[associatedDataAt + i] = aad[i]!;
  }

  /** The same for a whole ESP packet; RFC 4106 5: with ESN the high word stands between SPI and sequence number. */
  #takeEspHeader(octets: Uint8Array, start: number, textBytes: number, sequenceHigh: number): number {
    const end = start + espHeaderBytes + this.ivBytes + textBytes + this.icvBytes;
    // A pointer beyond the octets would be read or written without asking.
    if (!(start >= 0 && textBytes >= 0 && end <= octets.length)) throw new Error('the packet is not there');
    const own = this.#own;
    for (let i = 0; i < this.ivBytes; i++) own[saltBytes + i] = octets[start + espHeaderBytes + i]!;
    for (let i = 0; i < 4; i++) own[associatedDataAt + i] = octets[start + i]!;
    let at = associatedDataAt + 4;
    if (sequenceHigh >= 0) {
      writeU32(own, at, sequenceHigh);
      at += 4;
    }
    for (let i = 4; i < espHeaderBytes; i++) own[at++] = octets[start + i]!;
    return at - associatedDataAt;
  }

  /** @param parameters the ICV to be expected, or 0 */
  #begin(context: number, aadBytes: number, encrypt: 0 | 1, parameters: number): void {
    const lib = this.#lib;
    const address = this.#ownAddress;
    mustSucceed(lib.EVP_CipherInit_ex2(context, 0, 0, address, encrypt, parameters), 'the nonce');
    const data = address + associatedDataAt;
    mustSucceed(lib.EVP_CipherUpdate(context, 0, address + outBytesAt, data, aadBytes), 'associated data');
  }
}
