// Algorithm identifiers of IKEv2's transforms, under the names that RFCs and IANA's registry give them.

/** Encryption, transform type 1. */
export const Encr = {
  '3DES': 3,
  NULL: 11,
  AES_CBC: 12,
  AES_CTR: 13,
  AES_CCM_8: 14,
  AES_CCM_12: 15,
  AES_CCM_16: 16,
  AES_GCM_8: 18,
  AES_GCM_12: 19,
  AES_GCM_16: 20,
  NULL_AUTH_AES_GMAC: 21,
  CHACHA20_POLY1305: 28,
} as const;

/** Pseudorandom functions, transform type 2. */
export const Prf = {
  HMAC_SHA1: 2,
  AES128_XCBC: 4,
  HMAC_SHA2_256: 5,
  HMAC_SHA2_384: 6,
  HMAC_SHA2_512: 7,
  AES128_CMAC: 8,
} as const;

/** Integrity, transform type 3. */
export const Integ = {
  NONE: 0,
  HMAC_SHA1_96: 2,
  AES_XCBC_96: 5,
  AES_CMAC_96: 8,
  HMAC_SHA2_256_128: 12,
  HMAC_SHA2_384_192: 13,
  HMAC_SHA2_512_256: 14,
  /** Of private use, and never negotiated: RFC 4868 with the ICV of the draft before it. */
  HMAC_SHA2_256_96: 1027,
} as const;

/** Key exchange methods, transform type 4. */
export const Ke = {
  NONE: 0,
  MODP_2048: 14,
  MODP_3072: 15,
  MODP_4096: 16,
  MODP_6144: 17,
  MODP_8192: 18,
  ECP_256: 19,
  ECP_384: 20,
  ECP_521: 21,
  BRAINPOOL_256: 28,
  BRAINPOOL_384: 29,
  BRAINPOOL_512: 30,
  CURVE25519: 31,
  CURVE448: 32,
} as const;

/** Extended sequence numbers, transform type 5. */
export const Esn = { NO: 0, YES: 1 } as const;

/** RFC 7427 5: hash algorithms of SIGNATURE_HASH_ALGORITHMS. */
export const SignatureHash = { SHA1: 1, SHA2_256: 2, SHA2_384: 3, SHA2_512: 4, IDENTITY: 5 } as const;

/** A transform of a proposal; only AES takes a key length. */
export interface Transform {
  readonly type: number;
  readonly id: number;
  readonly keyLengthBits?: number;
}

/** A set of transforms in order of preference; alternatives of one type stand side by side (RFC 7296 3.3). */
export interface Proposal {
  readonly protocol: 'ike' | 'esp' | 'ah';
  readonly transforms: readonly Transform[];
}

/** Encryption as chosen: transform ID and, where the cipher has several, the key length without salt. */
export interface EncryptionChoice {
  readonly id: number;
  readonly keyLengthBits: number;
}

/** The algorithms of an IKE SA. `integ` is absent with an AEAD cipher. */
export interface IkeSuite {
  readonly encr: EncryptionChoice;
  readonly prf: number;
  readonly integ?: number;
  readonly ke: number;
}

/** The algorithms of an ESP or AH SA pair. `ke` is present when a fresh key exchange is made with it. */
export interface ChildSuite {
  readonly protocol: 'esp' | 'ah';
  readonly encr?: EncryptionChoice;
  readonly integ?: number;
  readonly ke?: number;
  readonly esn: boolean;
}

/** Ciphers that authenticate too, and so exclude a separate integrity transform (RFC 7296 3.3.3, RFC 5282 8). */
export function isCombinedMode(encr: number): boolean {
  return (encr >= Encr.AES_CCM_8 && encr <= Encr.NULL_AUTH_AES_GMAC) || encr === Encr.CHACHA20_POLY1305;
}

/** Only the AES transforms name a key length (RFC 7296 3.3.5). */
export function takesKeyLength(encr: number): boolean {
  return encr >= Encr.AES_CBC && encr <= Encr.NULL_AUTH_AES_GMAC;
}
