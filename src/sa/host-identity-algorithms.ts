// HIP's numbers for algorithms that this project knows by their numbers in IKEv2.
import { HipDhGroup, HipEspSuite } from '#wire';
import { type ChildSuite, Encr, Integ, Ke } from './algorithms.ts';

/**
 * Key exchange methods that only HIP uses, by 0x10000 and their DH Group ID: no transform ID of 16 bits is like that, so
 * that no IKE proposal can name them. RFC 7401 D says how little SECP160R1 is good for.
 */
export const HipKe = { MODP_1536: 0x1_0003, SECP160R1: 0x1_000a } as const;

const keyExchanges: ReadonlyMap<number, number> = new Map<number, number>([
  [HipDhGroup.MODP_1536, HipKe.MODP_1536],
  [HipDhGroup.MODP_2048, Ke.MODP_2048],
  [HipDhGroup.MODP_3072, Ke.MODP_3072],
  [HipDhGroup.ECP_256, Ke.ECP_256],
  [HipDhGroup.ECP_384, Ke.ECP_384],
  [HipDhGroup.ECP_521, Ke.ECP_521],
  [HipDhGroup.SECP160R1, HipKe.SECP160R1],
]);

/** The key exchange method, for `Randomness.keyPair`, of a DH Group ID (RFC 7401 5.2.7); `undefined` for others. */
export function keyExchangeOfDhGroup(group: number): number | undefined {
  return keyExchanges.get(group);
}

/** RFC 7402 5.1.2 does not say how long the keys of suites 10 to 13 and 15 are: ours have 128 bits. */
const unsaidKeyLengthBits = 128;

const aesCbc = (keyLengthBits: number): Pick<ChildSuite, 'encr'> => ({
  encr: { id: Encr.AES_CBC, keyLengthBits },
});
const combined = (id: number): Pick<ChildSuite, 'encr'> => ({
  encr: { id, keyLengthBits: unsaidKeyLengthBits },
});
const nullCipher: Pick<ChildSuite, 'encr'> = { encr: { id: Encr.NULL, keyLengthBits: 0 } };

const espSuites: ReadonlyMap<number, Pick<ChildSuite, 'encr' | 'integ'>> = new Map<
  number,
  Pick<ChildSuite, 'encr' | 'integ'>
>([
  [HipEspSuite.AES_128_CBC_HMAC_SHA1, { ...aesCbc(128), integ: Integ.HMAC_SHA1_96 }],
  [HipEspSuite.NULL_HMAC_SHA_256, { ...nullCipher, integ: Integ.HMAC_SHA2_256_128 }],
  [HipEspSuite.AES_128_CBC_HMAC_SHA_256, { ...aesCbc(128), integ: Integ.HMAC_SHA2_256_128 }],
  [HipEspSuite.AES_256_CBC_HMAC_SHA_256, { ...aesCbc(256), integ: Integ.HMAC_SHA2_256_128 }],
  [HipEspSuite.AES_CCM_8, combined(Encr.AES_CCM_8)],
  [HipEspSuite.AES_CCM_16, combined(Encr.AES_CCM_16)],
  [HipEspSuite.AES_GCM_8, combined(Encr.AES_GCM_8)],
  [HipEspSuite.AES_GCM_16, combined(Encr.AES_GCM_16)],
  [HipEspSuite.AES_CMAC_96, { ...nullCipher, integ: Integ.AES_CMAC_96 }],
  [HipEspSuite.AES_GMAC, combined(Encr.NULL_AUTH_AES_GMAC)],
]);

/**
 * The algorithms of a HIP ESP suite (RFC 7402 5.1.2), always with sequence numbers of 64 bits (RFC 7402 3.3.6); `undefined` for
 * reserved and deprecated numbers.
 */
export function espSuiteOf(id: number): ChildSuite | undefined {
  const suite = espSuites.get(id);
  return suite && { protocol: 'esp', ...suite, esn: true };
}

/** RFC 7402 3.3.5: suites that only authenticate need a configuration that says so. */
export function isAuthenticationOnly(id: number): boolean {
  const authenticating: readonly number[] = [
    HipEspSuite.NULL_HMAC_SHA_256,
    HipEspSuite.AES_CMAC_96,
    HipEspSuite.AES_GMAC,
  ];
  return authenticating.includes(id);
}
