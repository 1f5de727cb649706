// Keys for tshark, written only when asked for: anybody who reads this file can read the traffic.
import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import type { KeyLogEntry } from '#ike';
import { Encr, formatSpi, Integ, isIpv6 } from '#sa';

/** tshark's names of IKEv2 encryption algorithms, by transform and key length. */
const ikeEncryptionNames: Readonly<Record<string, string>> = {
  [`${Encr['3DES']} 192`]: '3DES [RFC2451]',
  [`${Encr.AES_CBC} 128`]: 'AES-CBC-128 [RFC3602]',
  [`${Encr.AES_CBC} 192`]: 'AES-CBC-192 [RFC3602]',
  [`${Encr.AES_CBC} 256`]: 'AES-CBC-256 [RFC3602]',
  [`${Encr.AES_CTR} 128`]: 'AES-CTR-128 [RFC5930]',
  [`${Encr.AES_CTR} 192`]: 'AES-CTR-192 [RFC5930]',
  [`${Encr.AES_CTR} 256`]: 'AES-CTR-256 [RFC5930]',
  ...Object.fromEntries(
    [128, 192, 256].flatMap((bits) => [
      [`${Encr.AES_GCM_8} ${bits}`, `AES-GCM-${bits} with 8 octet ICV [RFC5282]`],
      [`${Encr.AES_GCM_12} ${bits}`, `AES-GCM-${bits} with 12 octet ICV [RFC5282]`],
      [`${Encr.AES_GCM_16} ${bits}`, `AES-GCM-${bits} with 16 octet ICV [RFC5282]`],
      [`${Encr.AES_CCM_8} ${bits}`, `AES-CCM-${bits} with 8 octet ICV [RFC5282]`],
      [`${Encr.AES_CCM_12} ${bits}`, `AES-CCM-${bits} with 12 octet ICV [RFC5282]`],
      [`${Encr.AES_CCM_16} ${bits}`, `AES-CCM-${bits} with 16 octet ICV [RFC5282]`],
    ]),
  ),
};

const ikeIntegrityNames: Readonly<Record<number, string>> = {
  [Integ.HMAC_SHA1_96]: 'HMAC_SHA1_96 [RFC2404]',
  [Integ.HMAC_SHA2_256_128]: 'HMAC_SHA2_256_128 [RFC4868]',
  [Integ.HMAC_SHA2_384_192]: 'HMAC_SHA2_384_192 [RFC4868]',
  [Integ.HMAC_SHA2_512_256]: 'HMAC_SHA2_512_256 [RFC4868]',
};

const espEncryptionNames: Readonly<Record<number, string>> = {
  [Encr.NULL]: 'NULL',
  [Encr['3DES']]: 'TripleDES-CBC [RFC2451]',
  [Encr.AES_CBC]: 'AES-CBC [RFC3602]',
  [Encr.AES_CTR]: 'AES-CTR [RFC3686]',
  [Encr.AES_GCM_8]: 'AES-GCM with 8 octet ICV [RFC4106]',
  [Encr.AES_GCM_12]: 'AES-GCM with 12 octet ICV [RFC4106]',
  [Encr.AES_GCM_16]: 'AES-GCM with 16 octet ICV [RFC4106]',
  [Encr.CHACHA20_POLY1305]: 'ChaCha20 with Poly1305 [RFC7634]',
};

const espIntegrityNames: Readonly<Record<number, string>> = {
  [Integ.HMAC_SHA1_96]: 'HMAC-SHA-1-96 [RFC2404]',
  [Integ.HMAC_SHA2_256_128]: 'HMAC-SHA-256-128 [RFC4868]',
  [Integ.HMAC_SHA2_384_192]: 'HMAC-SHA-384-192 [RFC4868]',
  [Integ.HMAC_SHA2_512_256]: 'HMAC-SHA-512-256 [RFC4868]',
  [Integ.AES_CMAC_96]: 'AES-CMAC-96 [RFC4494]',
  [Integ.HMAC_SHA2_256_96]: 'HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]',
};

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex');
}

/**
 * One line of tshark's `ikev2_decryption_table` or `esp_sa` table, behind the table's name.
 * @returns a comment if tshark has no name for the algorithm
 */
export function keyLogLine(entry: KeyLogEntry): string {
  if (entry.kind === 'ike') {
    const { suite } = entry;
    const encryption = ikeEncryptionNames[`${suite.encr.id} ${suite.encr.keyLengthBits}`];
    const integrity = suite.integ === undefined ? 'NONE [RFC4306]' : ikeIntegrityNames[suite.integ];
    if (encryption === undefined || integrity === undefined) {
      return `# ikev2 ${entry.initiatorSpi} ${entry.responderSpi}: tshark does not know this suite`;
    }
    const fields = [
      entry.initiatorSpi,
      entry.responderSpi,
      hex(entry.skEi),
      hex(entry.skEr),
      `"${encryption}"`,
    ];
    return `ikev2_decryption_table ${[...fields, hex(entry.skAi), hex(entry.skAr), `"${integrity}"`].join(',')}`;
  }
  const { encryption, integrity } = entry;
  const cipher = encryption === undefined ? 'NULL' : espEncryptionNames[encryption.id];
  const mac = integrity === undefined ? 'NULL' : espIntegrityNames[integrity.id];
  if (cipher === undefined || mac === undefined) {
    return `# ${entry.protocol} ${formatSpi(entry.spi)}: tshark does not know this suite`;
  }
  const key = (octets: Uint8Array | undefined): string =>
    octets === undefined || octets.length === 0 ? '' : `0x${hex(octets)}`;
  const family = isIpv6(entry.source) ? 'IPv6' : 'IPv4';
  const fields = [family, entry.source, entry.destination, `0x${formatSpi(entry.spi)}`];
  const text = [...fields, cipher, key(encryption?.key), mac, key(integrity?.key)].map(
    (field) => `"${field}"`,
  );
  return `esp_sa ${text.join(',')}`;
}

/** The key log cannot be made. */
export class KeyLogError extends Error {
  override readonly name = 'KeyLogError';
  readonly code = 'key-log' as const;
}

/** A key log that only its owner can read and that never overwrites anything. */
export class KeyLogFile {
  readonly #path: string;
  readonly #fd: number;

  /** @throws KeyLogError for example if anything, be it a symbolic link, is there already */
  constructor(path: string) {
    this.#path = path;
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    try {
      this.#fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why = code === 'EEXIST' ? 'it exists, and a key log overwrites nothing' : message;
      throw new KeyLogError(`key log ${path} cannot be made: ${why}`);
    }
  }

  write(entry: KeyLogEntry): void {
    writeSync(this.#fd, `${keyLogLine(entry)}\n`);
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Takes the file away again: the daemon did not start, and the next try must not find it in its way. */
  discard(): void {
    this.close();
    unlinkSync(this.#path);
  }
}
