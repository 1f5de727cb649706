// Randomness for the lab and for tests: the same seed gives the same octets, key pairs and signatures, on any machine.
import { keyExchangeMethod } from '../key-exchange/key-exchange-method.ts';
import type { Randomness } from '../ports.ts';
import { signDeterministically } from '../signatures/deterministic-signature.ts';
import { HmacDrbg } from './hmac-drbg.ts';

/**
 * HMAC_DRBG with SHA-256 over the seed, of any length. Everything is drawn from one stream in the order of the calls.
 * Not for production: see `signDeterministically` about timing.
 */
export function seededRandomness(seed: Uint8Array): Randomness {
  const drbg = new HmacDrbg('sha256', 32, seed);
  const draw = (count: number): Uint8Array => drbg.generate(count);
  return {
    bytes: draw,
    keyPair: (group) => keyExchangeMethod(group).derive(draw),
    sign: (key, scheme, data) => signDeterministically(key, scheme, data, draw),
  };
}
