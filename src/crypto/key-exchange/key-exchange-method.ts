// Transform type 4: from identifier to key pairs.
import { HipKe, Ke } from '#sa';
import { CryptoError } from '../error.ts';
import type { KeyPair } from '../ports.ts';
import { curveMethod } from './elliptic-curve.ts';
import { modularMethod } from './modular.ts';
import { montgomeryMethod } from './montgomery.ts';

/** Gives the asked number of random octets. The callee wipes them. */
export type Draw = (count: number) => Uint8Array;

export interface KeyExchangeMethod {
  readonly group: number;
  /** A key pair from the operating system's randomness. */
  generate(): KeyPair;
  /** The key pair that follows from what is drawn. */
  derive(draw: Draw): KeyPair;
}

const methods: ReadonlyMap<number, KeyExchangeMethod> = new Map(
  [
    // Exponents of at least twice the group's strength (RFC 3526 8 and NIST SP 800-56A rev. 3, table 26).
    modularMethod(Ke.MODP_2048, 'modp14', 256),
    modularMethod(Ke.MODP_3072, 'modp15', 288),
    modularMethod(Ke.MODP_4096, 'modp16', 320),
    modularMethod(Ke.MODP_6144, 'modp17', 352),
    modularMethod(Ke.MODP_8192, 'modp18', 400),
    curveMethod(Ke.ECP_256, 'prime256v1', 256),
    curveMethod(Ke.ECP_384, 'secp384r1', 384),
    curveMethod(Ke.ECP_521, 'secp521r1', 521),
    curveMethod(Ke.BRAINPOOL_256, 'brainpoolP256r1', 256),
    curveMethod(Ke.BRAINPOOL_384, 'brainpoolP384r1', 384),
    curveMethod(Ke.BRAINPOOL_512, 'brainpoolP512r1', 512),
    montgomeryMethod(Ke.CURVE25519, 'x25519', 32),
    montgomeryMethod(Ke.CURVE448, 'x448', 56),
  ]
    .filter((method) => method !== undefined)
    .map((method) => [method.group, method]),
);

/** Groups of HIP that are too weak for IKEv2: RFC 8247 2.4 has 1536 bits as SHOULD NOT, RFC 7401 5.2.7 as MUST. */
const hipMethods: ReadonlyMap<number, KeyExchangeMethod> = new Map(
  [modularMethod(HipKe.MODP_1536, 'modp5', 240), curveMethod(HipKe.SECP160R1, 'secp160r1', 160)]
    .filter((method) => method !== undefined)
    .map((method) => [method.group, method]),
);

/** Whether key pairs can be made for this transform ID of IKEv2. False for NONE. */
export function supportedKeyExchange(group: number): boolean {
  return methods.has(group);
}

/**
 * Of a `Ke` or a `HipKe`.
 * @throws CryptoError `unsupported`
 */
export function keyExchangeMethod(group: number): KeyExchangeMethod {
  const method = methods.get(group) ?? hipMethods.get(group);
  if (method === undefined) throw new CryptoError('unsupported', `no key exchange method ${group}`);
  return method;
}
