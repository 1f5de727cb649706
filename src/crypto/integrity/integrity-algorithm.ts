// Transform type 3: from identifier to MAC.
import { Integ } from '#sa';
import { CryptoError } from '../error.ts';
import type { DigestName } from '../key-material/digest.ts';
import { aesCmac, aesXcbcMac } from '../prf/aes-mac.ts';
import { hmac } from '../prf/hmac.ts';
import type { IntegrityAlgorithm } from '../suites.ts';

type Mac = (key: Uint8Array, parts: readonly Uint8Array[]) => Uint8Array;

/** All MACs of IPsec are the leftmost octets of a longer one. */
function truncated(id: number, keyBytes: number, icvBytes: number, mac: Mac): IntegrityAlgorithm {
  return {
    id,
    keyBytes,
    icvBytes,
    compute(key, ...parts) {
      if (key.length !== keyBytes) {
        throw new CryptoError(
          'bad-key',
          `integrity algorithm ${id} takes ${keyBytes} octets, not ${key.length}`,
        );
      }
      return mac(key, parts).slice(0, icvBytes);
    },
  };
}

const hmacWith =
  (name: DigestName): Mac =>
  (key, parts) =>
    hmac(name, key, parts);

const algorithms: ReadonlyMap<number, IntegrityAlgorithm> = new Map(
  [
    truncated(Integ.HMAC_SHA1_96, 20, 12, hmacWith('sha1')),
    truncated(Integ.AES_XCBC_96, 16, 12, aesXcbcMac),
    truncated(Integ.AES_CMAC_96, 16, 12, aesCmac),
    // RFC 4868 2.1.1: the key is as long as the hash, the ICV half of that.
    truncated(Integ.HMAC_SHA2_256_128, 32, 16, hmacWith('sha256')),
    truncated(Integ.HMAC_SHA2_384_192, 48, 24, hmacWith('sha384')),
    truncated(Integ.HMAC_SHA2_512_256, 64, 32, hmacWith('sha512')),
    truncated(Integ.HMAC_SHA2_256_96, 32, 12, hmacWith('sha256')),
  ].map((algorithm) => [algorithm.id, algorithm]),
);

export function supportedIntegrity(id: number): boolean {
  return algorithms.has(id);
}

/** @throws CryptoError `unsupported`, also for NONE */
export function integrityAlgorithm(id: number): IntegrityAlgorithm {
  const algorithm = algorithms.get(id);
  if (algorithm === undefined) {
    throw new CryptoError('unsupported', `no integrity algorithm with transform ID ${id}`);
  }
  return algorithm;
}

/**
 * Octets of KEYMAT that the algorithm takes; 0 for NONE.
 * @throws CryptoError `unsupported`
 */
export function integrityKeyBytes(id: number): number {
  return id === Integ.NONE ? 0 : integrityAlgorithm(id).keyBytes;
}
