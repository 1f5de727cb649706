// The functions of the OpenSSL inside Node that the packet path calls, bound once through koffi.
import koffi from 'koffi';

/** All pointers are machine addresses as numbers, which koffi passes twice as fast as views; 0 is NULL. */
export interface Libcrypto {
  EVP_CIPHER_CTX_new(): number;
  EVP_CIPHER_CTX_free(context: number): void;
  EVP_get_cipherbyname(name: string): number;
  EVP_CipherInit_ex(
    context: number,
    cipher: number,
    engine: 0,
    key: number,
    iv: number,
    encrypt: 0 | 1,
  ): number;
  /** Like `EVP_CipherInit_ex`, without an engine and with parameters, which is less work. */
  EVP_CipherInit_ex2(
    context: number,
    cipher: number,
    key: number,
    iv: number,
    encrypt: 0 | 1,
    parameters: number,
  ): number;
  EVP_CIPHER_CTX_get_params(context: number, parameters: number): number;
  EVP_CIPHER_CTX_set_params(context: number, parameters: number): number;
  EVP_CIPHER_CTX_ctrl(context: number, type: number, argument: number, pointer: number): number;
  EVP_CIPHER_CTX_set_padding(context: number, pad: 0 | 1): number;
  EVP_CipherUpdate(context: number, out: number, outBytes: number, input: number, inputBytes: number): number;
  EVP_CipherFinal_ex(context: number, out: number, outBytes: number): number;
  EVP_get_digestbyname(name: string): number;
  HMAC_CTX_new(): number;
  HMAC_CTX_free(context: number): void;
  HMAC_Init_ex(context: number, key: number, keyBytes: number, digest: number, engine: 0): number;
  HMAC_Update(context: number, input: number, inputBytes: number): number;
  HMAC_Final(context: number, out: number, outBytes: number): number;
}

/** EVP_CIPHER_CTX_ctrl types. */
export const EVP_CTRL_AEAD_SET_IVLEN = 0x9;
export const EVP_CTRL_AEAD_SET_IV_FIXED = 0x12;
/** Of EVP_CTRL_AEAD_SET_IV_FIXED: all of the IV is given, and counts up from there. */
export const wholeIv = -1;

const prototypes: Readonly<Record<keyof Libcrypto, string>> = {
  EVP_CIPHER_CTX_new: 'uintptr_t EVP_CIPHER_CTX_new()',
  EVP_CIPHER_CTX_free: 'void EVP_CIPHER_CTX_free(uintptr_t)',
  EVP_get_cipherbyname: 'uintptr_t EVP_get_cipherbyname(const char *)',
  EVP_CipherInit_ex: 'int EVP_CipherInit_ex(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, int)',
  EVP_CipherInit_ex2: 'int EVP_CipherInit_ex2(uintptr_t, uintptr_t, uintptr_t, uintptr_t, int, uintptr_t)',
  EVP_CIPHER_CTX_get_params: 'int EVP_CIPHER_CTX_get_params(uintptr_t, uintptr_t)',
  EVP_CIPHER_CTX_set_params: 'int EVP_CIPHER_CTX_set_params(uintptr_t, uintptr_t)',
  EVP_CIPHER_CTX_ctrl: 'int EVP_CIPHER_CTX_ctrl(uintptr_t, int, int, uintptr_t)',
  EVP_CIPHER_CTX_set_padding: 'int EVP_CIPHER_CTX_set_padding(uintptr_t, int)',
  EVP_CipherUpdate: 'int EVP_CipherUpdate(uintptr_t, uintptr_t, uintptr_t, uintptr_t, int)',
  EVP_CipherFinal_ex: 'int EVP_CipherFinal_ex(uintptr_t, uintptr_t, uintptr_t)',
  EVP_get_digestbyname: 'uintptr_t EVP_get_digestbyname(const char *)',
  HMAC_CTX_new: 'uintptr_t HMAC_CTX_new()',
  HMAC_CTX_free: 'void HMAC_CTX_free(uintptr_t)',
  HMAC_Init_ex: 'int HMAC_Init_ex(uintptr_t, uintptr_t, int, uintptr_t, uintptr_t)',
  HMAC_Update: 'int HMAC_Update(uintptr_t, uintptr_t, unsigned long)',
  HMAC_Final: 'int HMAC_Final(uintptr_t, uintptr_t, uintptr_t)',
};

let bound: Libcrypto | undefined | null = null;

/** `undefined` where this Node hides its OpenSSL: then `node:crypto` has to do. */
export function libcrypto(): Libcrypto | undefined {
  if (bound !== null) return bound;
  try {
    const process = koffi.load(null);
    const functions = Object.entries(prototypes).map(([name, prototype]) => [name, process.func(prototype)]);
    bound = Object.fromEntries(functions) as Libcrypto;
  } catch {
    bound = undefined;
  }
  return bound;
}

/** Whether packets can be sealed by the OpenSSL inside this Node. */
export function hasOpenSsl(): boolean {
  return libcrypto() !== undefined;
}

/** @throws Error: OpenSSL refuses only what its caller got wrong, or memory */
export function mustSucceed(result: number, what: string): number {
  if (result <= 0) throw new Error(`OpenSSL: ${what} failed`);
  return result;
}
