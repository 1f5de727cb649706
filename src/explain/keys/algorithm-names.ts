// tshark's names of algorithms, as its key tables have them.
import { Encr, type EncryptionChoice, Integ } from '#sa';

export interface IkeAlgorithms {
  readonly encryption: EncryptionChoice;
  /** Absent with a combined-mode cipher. */
  readonly integrity?: number;
}

export interface EspAlgorithms {
  readonly encryption?: EncryptionChoice;
  readonly integrity?: number;
}

const integrityNames: readonly (readonly [RegExp, number])[] = [
  [/^HMAC[-_]SHA[-_]?1[-_]96/, Integ.HMAC_SHA1_96],
  [/^HMAC[-_]SHA(2_|-)256[-_]128/, Integ.HMAC_SHA2_256_128],
  [/^HMAC[-_]SHA(2_|-)384[-_]192/, Integ.HMAC_SHA2_384_192],
  [/^HMAC[-_]SHA(2_|-)512[-_]256/, Integ.HMAC_SHA2_512_256],
  [/^AES-CMAC-96/, Integ.AES_CMAC_96],
  [/^AES-XCBC-MAC-96/, Integ.AES_XCBC_96],
];

function integrityOf(name: string): number | undefined | string {
  if (/^(NULL|NONE|ANY)/.test(name) || name === '') return undefined;
  return integrityNames.find(([pattern]) => pattern.test(name))?.[1] ?? `no integrity algorithm ${name}`;
}

const combinedModes: Readonly<Record<string, number>> = {
  'GCM 8': Encr.AES_GCM_8,
  'GCM 12': Encr.AES_GCM_12,
  'GCM 16': Encr.AES_GCM_16,
  'CCM 8': Encr.AES_CCM_8,
  'CCM 12': Encr.AES_CCM_12,
  'CCM 16': Encr.AES_CCM_16,
};

function combined(mode: string, icv: string): number | undefined {
  return combinedModes[`${mode} ${icv}`];
}

/** `AES-GCM-128 with 16 octet ICV [RFC5282]` and so on; a text says what is not known. */
export function ikeAlgorithms(encryption: string, integrity: string): IkeAlgorithms | string {
  const aead = /^AES-(GCM|CCM)-(\d+) with (\d+) octet ICV/.exec(encryption);
  const aes = /^AES-(CBC|CTR)-(\d+)/.exec(encryption);
  const mac = integrityOf(integrity);
  if (typeof mac === 'string') return mac;
  if (aead !== null) {
    const id = combined(aead[1]!, aead[3]!);
    if (id !== undefined) return { encryption: { id, keyLengthBits: Number(aead[2]) } };
  }
  const rest = mac === undefined ? {} : { integrity: mac };
  if (aes !== null) {
    const id = aes[1] === 'CBC' ? Encr.AES_CBC : Encr.AES_CTR;
    return { encryption: { id, keyLengthBits: Number(aes[2]) }, ...rest };
  }
  if (encryption.startsWith('3DES')) return { encryption: { id: Encr['3DES'], keyLengthBits: 192 }, ...rest };
  if (/^ChaCha20/i.test(encryption))
    return { encryption: { id: Encr.CHACHA20_POLY1305, keyLengthBits: 256 } };
  return `no encryption algorithm ${encryption}`;
}

/** Octets of salt at the end of the key. */
const saltBytes = (id: number): number => {
  if (id >= Encr.AES_CCM_8 && id <= Encr.AES_CCM_16) return 3;
  return id === Encr.AES_CBC ? 0 : 4;
};

/** The length of an AES key is not in its name here, but in the key. */
export function espAlgorithms(
  encryption: string,
  keyBytes: number,
  integrity: string,
): EspAlgorithms | string {
  const mac = integrityOf(integrity);
  if (typeof mac === 'string') return mac;
  const rest = mac === undefined ? {} : { integrity: mac };
  const aead = /^AES-(GCM|CCM) with (\d+) octet ICV/.exec(encryption);
  const aes = (id: number | undefined): EspAlgorithms | string =>
    id === undefined
      ? `no encryption algorithm ${encryption}`
      : { encryption: { id, keyLengthBits: 8 * (keyBytes - saltBytes(id)) }, ...rest };
  // RFC4106 in older versions of the table stands for an ICV of 16 octets.
  if (aead !== null) return aes(combined(aead[1]!, aead[2]!));
  if (/^AES-GCM/.test(encryption)) return aes(Encr.AES_GCM_16);
  if (/^AES-CBC/.test(encryption)) return aes(Encr.AES_CBC);
  if (/^AES-CTR/.test(encryption)) return aes(Encr.AES_CTR);
  if (/^TripleDES/.test(encryption)) return { encryption: { id: Encr['3DES'], keyLengthBits: 192 }, ...rest };
  if (/^ChaCha20/i.test(encryption))
    return { encryption: { id: Encr.CHACHA20_POLY1305, keyLengthBits: 256 } };
  if (/^NULL/.test(encryption)) return rest;
  return `no encryption algorithm ${encryption}`;
}
