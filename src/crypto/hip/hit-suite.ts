// HIT Suites: which hash goes with which kind of Host Identity (RFC 7401 5.2.10, table 10).
import { HiAlgorithm, type Hit, HitSuite, hitSuiteOf } from '#wire';
import { CryptoError } from '../error.ts';
import type { DigestName } from '../key-material/digest.ts';

export interface HitSuiteProfile {
  /** The four bits in the HIT. */
  readonly id: number;
  /** Makes HITs, and as a Responder's is RHASH: puzzle, KEYMAT and, as HMAC, the packets' MACs. */
  readonly hash: DigestName;
  /** Of #I, #J, an integrity key and a MAC. */
  readonly hashBytes: number;
  /** `HiAlgorithm`s of its Host Identities. */
  readonly algorithms: readonly number[];
}

const suites: readonly HitSuiteProfile[] = [
  {
    id: HitSuite.RSA_DSA_SHA256,
    hash: 'sha256',
    hashBytes: 32,
    algorithms: [HiAlgorithm.RSA, HiAlgorithm.DSA],
  },
  { id: HitSuite.ECDSA_SHA384, hash: 'sha384', hashBytes: 48, algorithms: [HiAlgorithm.ECDSA] },
  { id: HitSuite.ECDSA_LOW_SHA1, hash: 'sha1', hashBytes: 20, algorithms: [HiAlgorithm.ECDSA_LOW] },
];

/** The suite with this four-bit ID; `undefined` if RFC 7401 has none. */
export function hitSuiteProfile(id: number): HitSuiteProfile | undefined {
  return suites.find((suite) => suite.id === id);
}

/** The suite for Host Identities of an algorithm. @throws CryptoError `unsupported` */
export function hitSuiteOfAlgorithm(algorithm: number): HitSuiteProfile {
  const suite = suites.find(({ algorithms }) => algorithms.includes(algorithm));
  if (suite === undefined) throw new CryptoError('unsupported', `no HIT Suite for HI algorithm ${algorithm}`);
  return suite;
}

/**
 * The suite whose hash is RHASH of an association: that of the Responder's HIT (RFC 7401 5.2.10).
 * @throws CryptoError `unsupported` for a HIT of another suite, or what is no HIT
 */
export function rhashOf(responder: Hit): HitSuiteProfile {
  const suite = hitSuiteProfile(hitSuiteOf(responder) ?? 0);
  if (suite === undefined) throw new CryptoError('unsupported', `no RHASH for ${responder}`);
  return suite;
}
