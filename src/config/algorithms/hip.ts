// HIP's algorithms by the names that a configuration has for them: as far as there are any, IKE's keywords.
import { HipCipher, HipDhGroup, HipEspSuite } from '#wire';

const groups: ReadonlyMap<string, number> = new Map([
  ['ecp256', HipDhGroup.ECP_256],
  ['ecp384', HipDhGroup.ECP_384],
  ['ecp521', HipDhGroup.ECP_521],
  ['modp3072', HipDhGroup.MODP_3072],
  ['modp2048', HipDhGroup.MODP_2048],
  ['modp1536', HipDhGroup.MODP_1536],
  ['secp160r1', HipDhGroup.SECP160R1],
]);

const ciphers: ReadonlyMap<string, number> = new Map([
  ['aes128', HipCipher.AES_128_CBC],
  ['aes256', HipCipher.AES_256_CBC],
  ['null', HipCipher.NULL_ENCRYPT],
]);

const espSuites: ReadonlyMap<string, number> = new Map([
  ['aes128gcm16', HipEspSuite.AES_GCM_16],
  ['aes128gcm8', HipEspSuite.AES_GCM_8],
  ['aes128ccm16', HipEspSuite.AES_CCM_16],
  ['aes128ccm8', HipEspSuite.AES_CCM_8],
  ['aes128-sha256', HipEspSuite.AES_128_CBC_HMAC_SHA_256],
  ['aes256-sha256', HipEspSuite.AES_256_CBC_HMAC_SHA_256],
  ['aes128-sha1', HipEspSuite.AES_128_CBC_HMAC_SHA1],
  ['aes128gmac', HipEspSuite.AES_GMAC],
  ['null-sha256', HipEspSuite.NULL_HMAC_SHA_256],
  ['null-aescmac', HipEspSuite.AES_CMAC_96],
]);

export const hipGroupNames: readonly string[] = [...groups.keys()];
export const hipCipherNames: readonly string[] = [...ciphers.keys()];
export const hipEspSuiteNames: readonly string[] = [...espSuites.keys()];

/** `HipDhGroup`s of names that are among `hipGroupNames`, in their order. */
export const hipGroups = (names: readonly string[]): readonly number[] => numbers(groups, names);
/** `HipCipher`s */
export const hipCiphers = (names: readonly string[]): readonly number[] => numbers(ciphers, names);
/** `HipEspSuite`s */
export const hipEspSuites = (names: readonly string[]): readonly number[] => numbers(espSuites, names);

function numbers(table: ReadonlyMap<string, number>, names: readonly string[]): readonly number[] {
  return [...new Set(names)].flatMap((name) => table.get(name) ?? []);
}
