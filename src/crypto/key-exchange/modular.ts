// Diffie-Hellman modulo the safe primes of RFC 3526: groups 14 to 18.
import { createDiffieHellman, type DiffieHellman, getDiffieHellman, randomFillSync } from 'node:crypto';
import { numberFromOctets, plain } from '../key-material/octets.ts';
import { wipe } from '../key-material/secrets.ts';
import type { KeyPair } from '../ports.ts';
import { badPublicValue, EphemeralKeyPair } from './ephemeral-key-pair.ts';
import type { Draw, KeyExchangeMethod } from './key-exchange-method.ts';

/** Leading zeros, as RFC 7296 3.4 and 2.14 want them for the public value and for g^ir. */
function padded(octets: Uint8Array, lengthBytes: number): Uint8Array {
  const result = new Uint8Array(lengthBytes);
  result.set(octets, lengthBytes - octets.length);
  return result;
}

function keyPair(group: number, dh: DiffieHellman, prime: Uint8Array): KeyPair {
  const last = numberFromOctets(prime) - 1n;
  return new EphemeralKeyPair(group, padded(dh.getPublicKey(), prime.length), (peer) => {
    // RFC 6989 2.1: 1 < r < p - 1, which leaves only elements of the large subgroup's order or twice that.
    const value = numberFromOctets(peer);
    if (value <= 1n || value >= last) throw badPublicValue(group, 'out of range');
    return padded(plain(dh.computeSecret(peer)), prime.length);
  });
}

/** @param exponentBits length of drawn private exponents, with the highest bit set */
export function modularMethod(group: number, name: string, exponentBits: number): KeyExchangeMethod {
  let parameters: { prime: Uint8Array; generator: Uint8Array } | undefined;
  const derive = (draw: Draw): KeyPair => {
    if (parameters === undefined) {
      const known = getDiffieHellman(name);
      parameters = { prime: plain(known.getPrime()), generator: plain(known.getGenerator()) };
    }
    const { prime, generator } = parameters;
    const dh = createDiffieHellman(prime, generator);
    const exponent = draw(exponentBits / 8);
    exponent[0]! |= 0x80;
    dh.setPrivateKey(exponent);
    wipe(exponent);
    dh.generateKeys();
    return keyPair(group, dh, prime);
  };
  return {
    group,
    derive,
    generate: () => derive((count) => randomFillSync(new Uint8Array(count))),
  };
}
