// Signatures that follow from key, data and a seed, so that a run of the lab can be repeated octet by octet.
//
// The arithmetic on the secret is done with bigint, whose time depends on the values: for tests, not for gateways.
import { constants, createECDH, type KeyObject, privateEncrypt } from 'node:crypto';
import { CryptoError } from '../error.ts';
import { type DigestName, digest } from '../key-material/digest.ts';
import { concatenate, numberFromOctets, octetsFromNumber, plain } from '../key-material/octets.ts';
import type { PrivateKey, SignatureScheme } from '../ports.ts';
import { HmacDrbg } from '../randomness/hmac-drbg.ts';
import { type SigningCurve, signingCurve } from './curves.ts';
import { ecdsaSignatureToDer } from './ecdsa-encoding.ts';
import { privateKeyObject } from './private-key.ts';
import { profileForKey, sign } from './sign.ts';

/**
 * ECDSA by RFC 6979; RSASSA-PSS with a drawn salt; PKCS #1 1.5 and EdDSA need no randomness.
 * @param draw gives the PSS salt
 * @throws CryptoError `unsupported` if the key cannot make such signatures
 */
export function signDeterministically(
  key: PrivateKey,
  scheme: SignatureScheme,
  data: Uint8Array,
  draw: (count: number) => Uint8Array,
): Uint8Array {
  const profile = profileForKey(key.publicKey, scheme);
  if (profile.kind === 'ecdsa' && profile.hash !== undefined) return signEcdsa(key, profile.hash, data);
  if (profile.pss && profile.hash !== undefined) return signPss(key, profile.hash, data, draw);
  return sign(key, scheme, data);
}

/** RFC 6979 2.3.2: the leftmost bits, as many as the order has. */
function leftmostBits(octets: Uint8Array, curve: SigningCurve): bigint {
  const surplus = Math.max(0, 8 * octets.length - curve.orderBits);
  return numberFromOctets(octets) >> BigInt(surplus);
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [previous, current] = [modulus, value % modulus];
  let [previousFactor, factor] = [0n, 1n];
  while (current !== 0n) {
    const quotient = previous / current;
    [previous, current] = [current, previous - quotient * current];
    [previousFactor, factor] = [factor, previousFactor - quotient * factor];
  }
  return ((previousFactor % modulus) + modulus) % modulus;
}

/** X of k times the base point: OpenSSL does the only hard step. */
function baseMultipleX(curve: SigningCurve, k: bigint, lengthBytes: number): bigint {
  const ecdh = createECDH(curve.name);
  ecdh.setPrivateKey(octetsFromNumber(k, lengthBytes));
  return numberFromOctets(ecdh.getPublicKey().subarray(1, 1 + Math.ceil(curve.bits / 8)));
}

/** The scalar out of an ECPrivateKey (RFC 5915 3), where it is an OCTET STRING as long as the order. */
function privateScalar(key: KeyObject): Uint8Array {
  const der = key.export({ format: 'der', type: 'sec1' });
  const version = der[1] === 0x81 ? 3 : 2;
  const lengthAt = version + 4;
  return plain(der).slice(lengthAt + 1, lengthAt + 1 + der[lengthAt]!);
}

function signEcdsa(key: PrivateKey, hash: DigestName, data: Uint8Array): Uint8Array {
  const object = privateKeyObject(key);
  const curve = signingCurve(object.asymmetricKeyDetails?.namedCurve);
  if (curve === undefined) throw new CryptoError('unsupported', 'ECDSA key on an unknown curve');
  const { order } = curve;
  const lengthBytes = Math.ceil(curve.orderBits / 8);
  const privateOctets = privateScalar(object);
  const d = numberFromOctets(privateOctets);
  const hashed = digest(hash, data);
  const h = leftmostBits(hashed, curve) % order;
  const drbg = new HmacDrbg(
    hash,
    hashed.length,
    concatenate(privateOctets, octetsFromNumber(h, lengthBytes)),
  );
  for (;;) {
    const k = leftmostBits(drbg.generate(lengthBytes), curve);
    if (k === 0n || k >= order) continue;
    const r = baseMultipleX(curve, k, lengthBytes) % order;
    const s = (inverse(k, order) * (h + r * d)) % order;
    if (r === 0n || s === 0n) continue;
    return ecdsaSignatureToDer(
      concatenate(octetsFromNumber(r, lengthBytes), octetsFromNumber(s, lengthBytes)),
    )!;
  }
}

/** MGF1 (RFC 8017 B.2.1). */
function maskGeneration(hash: DigestName, seed: Uint8Array, lengthBytes: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let length = 0, i = 0; length < lengthBytes; length += blocks[0]!.length, i++) {
    blocks.push(digest(hash, seed, octetsFromNumber(BigInt(i), 4)));
  }
  return concatenate(...blocks).slice(0, lengthBytes);
}

/** EMSA-PSS with a salt as long as the hash (RFC 8017 9.1.1). */
function signPss(
  key: PrivateKey,
  hash: DigestName,
  data: Uint8Array,
  draw: (count: number) => Uint8Array,
): Uint8Array {
  const hashed = digest(hash, data);
  const bits = key.publicKey.bits - 1;
  const encodedBytes = Math.ceil(bits / 8);
  const paddingBytes = encodedBytes - 2 * hashed.length - 2;
  if (paddingBytes < 0) throw new CryptoError('unsupported', `PSS with a key of ${key.publicKey.bits} bits`);
  const salt = draw(hashed.length);
  const inner = digest(hash, new Uint8Array(8), hashed, salt);
  const block = concatenate(new Uint8Array(paddingBytes), Uint8Array.of(1), salt);
  const mask = maskGeneration(hash, inner, block.length);
  for (let i = 0; i < block.length; i++) block[i]! ^= mask[i]!;
  block[0]! &= 0xff >> (8 * encodedBytes - bits);
  const encoded = concatenate(block, inner, Uint8Array.of(0xbc));
  // A modulus of 8n + 1 bits is one octet longer than the encoded message.
  const modulusBytes = Math.ceil(key.publicKey.bits / 8);
  const whole = concatenate(new Uint8Array(modulusBytes - encoded.length), encoded);
  const object = privateKeyObject(key);
  return plain(privateEncrypt({ key: object, padding: constants.RSA_NO_PADDING }, whole));
}
