// Algorithms of IKEv2 under the names of the kernel's crypto, as XFRM wants them.
import { Encr, Integ, isCombinedMode, type SaParameters } from '#sa';
import type { XfrmAttributes } from '#wire';

interface Name {
  readonly name: string;
  readonly icvLengthBits: number;
}

const combined: Readonly<Record<number, Name>> = {
  [Encr.AES_CCM_8]: { name: 'rfc4309(ccm(aes))', icvLengthBits: 64 },
  [Encr.AES_CCM_12]: { name: 'rfc4309(ccm(aes))', icvLengthBits: 96 },
  [Encr.AES_CCM_16]: { name: 'rfc4309(ccm(aes))', icvLengthBits: 128 },
  [Encr.AES_GCM_8]: { name: 'rfc4106(gcm(aes))', icvLengthBits: 64 },
  [Encr.AES_GCM_12]: { name: 'rfc4106(gcm(aes))', icvLengthBits: 96 },
  [Encr.AES_GCM_16]: { name: 'rfc4106(gcm(aes))', icvLengthBits: 128 },
  [Encr.NULL_AUTH_AES_GMAC]: { name: 'rfc4543(gcm(aes))', icvLengthBits: 128 },
  [Encr.CHACHA20_POLY1305]: { name: 'rfc7539esp(chacha20,poly1305)', icvLengthBits: 128 },
};

const ciphers: Readonly<Record<number, string>> = {
  [Encr['3DES']]: 'cbc(des3_ede)',
  [Encr.NULL]: 'ecb(cipher_null)',
  [Encr.AES_CBC]: 'cbc(aes)',
  [Encr.AES_CTR]: 'rfc3686(ctr(aes))',
};

const integrities: Readonly<Record<number, Name>> = {
  [Integ.HMAC_SHA1_96]: { name: 'hmac(sha1)', icvLengthBits: 96 },
  [Integ.AES_XCBC_96]: { name: 'xcbc(aes)', icvLengthBits: 96 },
  [Integ.AES_CMAC_96]: { name: 'cmac(aes)', icvLengthBits: 96 },
  [Integ.HMAC_SHA2_256_128]: { name: 'hmac(sha256)', icvLengthBits: 128 },
  [Integ.HMAC_SHA2_384_192]: { name: 'hmac(sha384)', icvLengthBits: 192 },
  [Integ.HMAC_SHA2_512_256]: { name: 'hmac(sha512)', icvLengthBits: 256 },
};

export type XfrmAlgorithms = Pick<XfrmAttributes, 'aead' | 'encryption' | 'authenticationTruncated'>;

/** The attributes that hold an SA's algorithms and keys, or undefined if XFRM has no name for one of them. */
export function algorithmsOf({ encryption, integrity }: SaParameters): XfrmAlgorithms | undefined {
  if (encryption !== undefined && isCombinedMode(encryption.id)) {
    const aead = combined[encryption.id];
    return aead === undefined ? undefined : { aead: { ...aead, key: encryption.key } };
  }
  const cipher = encryption === undefined ? undefined : ciphers[encryption.id];
  const authentication = integrity === undefined ? undefined : integrities[integrity.id];
  if (encryption !== undefined && cipher === undefined) return undefined;
  if (integrity !== undefined && authentication === undefined) return undefined;
  return {
    ...(encryption !== undefined &&
      cipher !== undefined && { encryption: { name: cipher, key: encryption.key } }),
    ...(integrity !== undefined &&
      authentication !== undefined && { authenticationTruncated: { ...authentication, key: integrity.key } }),
  };
}
