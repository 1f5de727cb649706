// Transform type 1: what each cipher of ESP and SK payloads needs, as a table.
import { Encr, type EncryptionChoice } from '#sa';
import { CryptoError } from '../error.ts';

/** How a cipher sits in a packet, and which construction it is. */
export interface CipherProfile {
  readonly mode: 'null' | 'cbc' | 'ctr' | 'gcm' | 'ccm' | 'gmac' | 'chacha20-poly1305';
  /** Allowed key lengths in bits, without salt. One entry: fixed, and no Key Length attribute on the wire. */
  readonly keyLengthsBits: readonly number[];
  /** Octets taken from KEYMAT behind the key: the nonce's implicit half. */
  readonly saltBytes: number;
  readonly ivBytes: number;
  readonly ivKind: 'random' | 'counter' | 'none';
  /** 0 where integrity is a separate algorithm. */
  readonly icvBytes: number;
  readonly blockBytes: number;
  /** OpenSSL's name. */
  cipherName(keyLengthBits: number): string;
}

const aesLengths = [128, 192, 256];

function aes(
  mode: 'ctr' | 'gcm' | 'ccm' | 'gmac',
  rest: { saltBytes: number; icvBytes: number },
): CipherProfile {
  return {
    mode,
    keyLengthsBits: aesLengths,
    ivBytes: 8,
    ivKind: 'counter',
    blockBytes: 1,
    cipherName: (bits) => `aes-${bits}-${mode === 'gmac' ? 'gcm' : mode}`,
    ...rest,
  };
}

const profiles: ReadonlyMap<number, CipherProfile> = new Map<number, CipherProfile>([
  [
    Encr.NULL,
    {
      mode: 'null',
      keyLengthsBits: [0],
      saltBytes: 0,
      ivBytes: 0,
      ivKind: 'none',
      icvBytes: 0,
      blockBytes: 1,
      cipherName: () => 'null',
    },
  ],
  [
    Encr['3DES'],
    {
      mode: 'cbc',
      // Octets on the wire of KEYMAT, parity bits included (RFC 2451 2.2).
      keyLengthsBits: [192],
      saltBytes: 0,
      ivBytes: 8,
      ivKind: 'random',
      icvBytes: 0,
      blockBytes: 8,
      cipherName: () => 'des-ede3-cbc',
    },
  ],
  [
    Encr.AES_CBC,
    {
      mode: 'cbc',
      keyLengthsBits: aesLengths,
      saltBytes: 0,
      ivBytes: 16,
      ivKind: 'random',
      icvBytes: 0,
      blockBytes: 16,
      cipherName: (bits) => `aes-${bits}-cbc`,
    },
  ],
  // RFC 3686 4 and 5.1
  [Encr.AES_CTR, aes('ctr', { saltBytes: 4, icvBytes: 0 })],
  // RFC 4309 4 and 7.1: a salt of three octets, one less than GCM's
  [Encr.AES_CCM_8, aes('ccm', { saltBytes: 3, icvBytes: 8 })],
  [Encr.AES_CCM_12, aes('ccm', { saltBytes: 3, icvBytes: 12 })],
  [Encr.AES_CCM_16, aes('ccm', { saltBytes: 3, icvBytes: 16 })],
  // RFC 4106 4 and 8.1
  [Encr.AES_GCM_8, aes('gcm', { saltBytes: 4, icvBytes: 8 })],
  [Encr.AES_GCM_12, aes('gcm', { saltBytes: 4, icvBytes: 12 })],
  [Encr.AES_GCM_16, aes('gcm', { saltBytes: 4, icvBytes: 16 })],
  // RFC 4543 3.4: the tag must not be truncated
  [Encr.NULL_AUTH_AES_GMAC, aes('gmac', { saltBytes: 4, icvBytes: 16 })],
  [
    Encr.CHACHA20_POLY1305,
    {
      mode: 'chacha20-poly1305',
      keyLengthsBits: [256],
      saltBytes: 4,
      ivBytes: 8,
      ivKind: 'counter',
      icvBytes: 16,
      blockBytes: 1,
      cipherName: () => 'chacha20-poly1305',
    },
  ],
]);

export function cipherProfile(id: number): CipherProfile | undefined {
  return profiles.get(id);
}

/**
 * The profile of a chosen cipher, and its key length. For a cipher with one length the choice may also say 0, as
 * nothing is said on the wire.
 * @throws CryptoError `unsupported`
 */
export function resolveChoice(choice: EncryptionChoice): { profile: CipherProfile; keyLengthBits: number } {
  const profile = profiles.get(choice.id);
  if (profile === undefined) {
    throw new CryptoError('unsupported', `no encryption algorithm with transform ID ${choice.id}`);
  }
  const fixed = defaultKeyLengthBits(choice.id);
  const keyLengthBits = choice.keyLengthBits === 0 && fixed !== undefined ? fixed : choice.keyLengthBits;
  if (!profile.keyLengthsBits.includes(keyLengthBits)) {
    throw new CryptoError(
      'unsupported',
      `no key of ${keyLengthBits} bits for encryption algorithm ${choice.id}`,
    );
  }
  return { profile, keyLengthBits };
}

/**
 * The key length in bits of a cipher that has only one, and so none on the wire (RFC 7296 3.3.5). `undefined` for AES,
 * where the attribute must be present, and for unknown ciphers.
 */
export function defaultKeyLengthBits(id: number): number | undefined {
  const lengths = profiles.get(id)?.keyLengthsBits;
  return lengths?.length === 1 ? lengths[0] : undefined;
}

/**
 * Octets of KEYMAT that the cipher takes, salt included.
 * @throws CryptoError `unsupported`
 */
export function encryptionKeyBytes(choice: EncryptionChoice): number {
  const { profile, keyLengthBits } = resolveChoice(choice);
  return keyLengthBits / 8 + profile.saltBytes;
}
