// Transform type 2: from identifier to function.
import { Prf } from '#sa';
import { CryptoError } from '../error.ts';
import type { DigestName } from '../key-material/digest.ts';
import { concatenate } from '../key-material/octets.ts';
import { wipe } from '../key-material/secrets.ts';
import type { PseudorandomFunction } from '../suites.ts';
import { aesCmac, aesXcbcMac } from './aes-mac.ts';
import { hmac } from './hmac.ts';

function hmacPrf(id: number, name: DigestName, outputBytes: number): PseudorandomFunction {
  return { id, outputBytes, keyBytes: outputBytes, compute: (key, ...parts) => hmac(name, key, parts) };
}

type BlockMac = (key: Uint8Array, parts: readonly Uint8Array[]) => Uint8Array;

function blockCipherPrf(
  id: number,
  mac: BlockMac,
  fitKey: (key: Uint8Array) => Uint8Array,
): PseudorandomFunction {
  return {
    id,
    outputBytes: 16,
    keyBytes: 16,
    compute(key, ...parts) {
      const fitting = fitKey(key);
      const output = mac(fitting, parts);
      wipe(fitting);
      return output;
    },
  };
}

const zeroKey = new Uint8Array(16);

/** RFC 4434 2: shorter keys are padded with zeros, longer ones hashed with the zero key. */
function fitXcbcKey(key: Uint8Array): Uint8Array {
  if (key.length > 16) return aesXcbcMac(zeroKey, [key]);
  return concatenate(key, zeroKey.subarray(key.length));
}

/** RFC 4615 3: every key that has not exactly 16 octets is hashed with the zero key. */
function fitCmacKey(key: Uint8Array): Uint8Array {
  return key.length === 16 ? Uint8Array.from(key) : aesCmac(zeroKey, [key]);
}

const functions: ReadonlyMap<number, PseudorandomFunction> = new Map(
  [
    hmacPrf(Prf.HMAC_SHA1, 'sha1', 20),
    hmacPrf(Prf.HMAC_SHA2_256, 'sha256', 32),
    hmacPrf(Prf.HMAC_SHA2_384, 'sha384', 48),
    hmacPrf(Prf.HMAC_SHA2_512, 'sha512', 64),
    blockCipherPrf(Prf.AES128_XCBC, aesXcbcMac, fitXcbcKey),
    blockCipherPrf(Prf.AES128_CMAC, aesCmac, fitCmacKey),
  ].map((prf) => [prf.id, prf]),
);

export function supportedPrf(id: number): boolean {
  return functions.has(id);
}

/** @throws CryptoError `unsupported` */
export function pseudorandomFunction(id: number): PseudorandomFunction {
  const prf = functions.get(id);
  if (prf === undefined) throw new CryptoError('unsupported', `no PRF with transform ID ${id}`);
  return prf;
}
