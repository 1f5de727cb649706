// Host Identities: public keys as HOST_ID carries them, and the HITs made of them (RFC 7401 3.2, 5.2.9).
import { createPublicKey } from 'node:crypto';
import {
  EcdsaCurve,
  EcdsaLowCurve,
  HiAlgorithm,
  type HipRecord,
  HipRecordAlgorithm,
  type Hit,
  hitFromBytes,
} from '#wire';
import { CryptoError } from '../error.ts';
import { decodeBase64url, encodeBase64url } from '../key-exchange/base64url.ts';
import { digest } from '../key-material/digest.ts';
import { concatenate, hex } from '../key-material/octets.ts';
import type { PublicKey } from '../ports.ts';
import { describePublicKey, publicKeyFromSpki, publicKeyObject } from '../signatures/public-key.ts';
import { hitSuiteOfAlgorithm } from './hit-suite.ts';

/** A public key that is a host's name. */
export interface HostIdentity {
  /** `HiAlgorithm` */
  readonly algorithm: number;
  /** The Host Identity field of HOST_ID. */
  readonly octets: Uint8Array;
  readonly hit: Hit;
  readonly publicKey: PublicKey;
}

/** RFC 7401 3.2: the Context ID of HIP's ORCHIDs. */
const contextId = hex('f0eff02fbff43d0fe7930c3c6e6174ea');

/**
 * The HIT of any Host Identity, whether or not this build can use its key (RFC 7343 2, RFC 7401 3.2).
 * @throws CryptoError `unsupported` for an algorithm that no HIT Suite has
 */
export function hitOfHostIdentity(algorithm: number, hostIdentity: Uint8Array): Hit {
  const { id, hash } = hitSuiteOfAlgorithm(algorithm);
  const hashed = digest(hash, contextId, hostIdentity);
  // Encode_96: the middle 96 bits, which begin at an octet with each of the three hashes.
  const start = (hashed.length - 12) / 2;
  return hitFromBytes(concatenate(hex(`2001002${id}`), hashed.subarray(start, start + 12)));
}

interface CurveProfile {
  readonly algorithm: number;
  /** The ECC Curve field. */
  readonly label: number;
  readonly bits: number;
  readonly coordinateBytes: number;
  /** SubjectPublicKeyInfo up to the point, with the octet that says it is not compressed (RFC 5480 2). */
  readonly spkiPrefix: Uint8Array;
}

const curves: readonly CurveProfile[] = [
  {
    algorithm: HiAlgorithm.ECDSA,
    label: EcdsaCurve.P256,
    bits: 256,
    coordinateBytes: 32,
    spkiPrefix: hex('3059301306072a8648ce3d020106082a8648ce3d03010703420004'),
  },
  {
    algorithm: HiAlgorithm.ECDSA,
    label: EcdsaCurve.P384,
    bits: 384,
    coordinateBytes: 48,
    spkiPrefix: hex('3076301006072a8648ce3d020106052b8104002203620004'),
  },
  {
    algorithm: HiAlgorithm.ECDSA_LOW,
    label: EcdsaLowCurve.SECP160R1,
    bits: 160,
    coordinateBytes: 20,
    spkiPrefix: hex('303e301006072a8648ce3d020106052b81040008032a0004'),
  },
];

/**
 * The Host Identity of a key, ours or out of a file.
 * @throws CryptoError `unsupported` for keys without an encoding in RFC 7401 5.2.9: other curves, and EdDSA, for which
 *   no RFC 7401 suite exists
 */
export function hostIdentityOf(publicKey: PublicKey): HostIdentity {
  const [algorithm, octets] = publicKey.kind === 'rsa' ? encodeRsa(publicKey) : encodePoint(publicKey);
  return { algorithm, octets, hit: hitOfHostIdentity(algorithm, octets), publicKey };
}

/**
 * The Host Identity that a peer sent. That `hit` is the one it claims to have is for the caller to compare.
 * @throws CryptoError `bad-key` for octets that are no key of the algorithm; `unsupported` for DSA and for unknown
 *   algorithms and curves
 */
export function decodeHostIdentity(algorithm: number, octets: Uint8Array): HostIdentity {
  const own = octets.slice();
  const publicKey = algorithm === HiAlgorithm.RSA ? decodeRsa(own) : decodePoint(algorithm, own);
  return { algorithm, octets: own, hit: hitOfHostIdentity(algorithm, own), publicKey };
}

/**
 * The Host Identity of a HIP resource record, whose ECDSA keys come without the curve (RFC 8005 5.5, RFC 6605 4): their
 * length tells it.
 * @throws CryptoError as `decodeHostIdentity`
 */
export function hostIdentityOfRecord(recordAlgorithm: number, publicKey: Uint8Array): HostIdentity {
  if (recordAlgorithm === HipRecordAlgorithm.RSA) return decodeHostIdentity(HiAlgorithm.RSA, publicKey);
  const curve = curves.find(
    ({ algorithm, coordinateBytes }) =>
      algorithm === HiAlgorithm.ECDSA && publicKey.length === 2 * coordinateBytes,
  );
  if (recordAlgorithm !== HipRecordAlgorithm.ECDSA || curve === undefined) {
    throw new CryptoError('unsupported', `a HIP record's key of algorithm ${recordAlgorithm}`);
  }
  return decodeHostIdentity(HiAlgorithm.ECDSA, concatenate(Uint8Array.of(0, curve.label), publicKey));
}

/**
 * What a HIP resource record says of an identity (RFC 8005 5), without rendezvous servers: the inverse of
 * `hostIdentityOfRecord`.
 * @throws CryptoError `unsupported` for kinds of keys that the record has no number for
 */
export function hipRecordOf({ algorithm, octets, hit }: HostIdentity): HipRecord {
  const record = { hit, rendezvousServers: [] };
  if (algorithm === HiAlgorithm.RSA)
    return { ...record, algorithm: HipRecordAlgorithm.RSA, publicKey: octets };
  if (algorithm === HiAlgorithm.ECDSA)
    return { ...record, algorithm: HipRecordAlgorithm.ECDSA, publicKey: octets.subarray(2) };
  throw new CryptoError('unsupported', `no HIP record for a Host Identity of algorithm ${algorithm}`);
}

/** RFC 7401 B, RFC 3110 2: length of the exponent in one octet or, behind a zero, in two; exponent; modulus. */
function encodeRsa(publicKey: PublicKey): [number, Uint8Array] {
  const { n = '', e = '' } = publicKeyObject(publicKey).export({ format: 'jwk' });
  const exponent = decodeBase64url(e);
  const long = exponent.length > 255;
  const length = long ? [0, exponent.length >>> 8, exponent.length & 0xff] : [exponent.length];
  return [HiAlgorithm.RSA, concatenate(Uint8Array.from(length), exponent, decodeBase64url(n))];
}

function decodeRsa(octets: Uint8Array): PublicKey {
  const long = octets[0] === 0;
  const start = long ? 3 : 1;
  const length = long ? ((octets[1] ?? 0) << 8) | (octets[2] ?? 0) : (octets[0] ?? 0);
  const exponent = octets.subarray(start, start + length);
  const modulus = octets.subarray(start + length);
  // RFC 3110 2 prohibits leading zeros, and the long form of a short length would be one: a key has one HIT.
  const sound = length > (long ? 255 : 0) && exponent.length === length && modulus.length > 0;
  if (!sound || exponent[0] === 0 || modulus[0] === 0)
    throw new CryptoError('bad-key', 'no RSA Host Identity');
  const key = { kty: 'RSA', n: encodeBase64url(modulus), e: encodeBase64url(exponent) };
  try {
    return describePublicKey(createPublicKey({ key, format: 'jwk' }), 'hip');
  } catch {
    throw new CryptoError('bad-key', 'no RSA key that OpenSSL can use');
  }
}

/** RFC 7401 5.2.9: the curve in two octets, then X and Y, each as long as the field (RFC 6090 6). */
function encodePoint(publicKey: PublicKey): [number, Uint8Array] {
  const { spki } = publicKey;
  const curve = curves.find(
    ({ spkiPrefix, coordinateBytes }) =>
      spki.length === spkiPrefix.length + 2 * coordinateBytes &&
      spkiPrefix.every((octet, at) => spki[at] === octet),
  );
  if (curve === undefined) {
    throw new CryptoError(
      'unsupported',
      `no Host Identity of a ${publicKey.kind} key of ${publicKey.bits} bits`,
    );
  }
  return [
    curve.algorithm,
    concatenate(Uint8Array.of(0, curve.label), spki.subarray(curve.spkiPrefix.length)),
  ];
}

function decodePoint(algorithm: number, octets: Uint8Array): PublicKey {
  const label = ((octets[0] ?? 0) << 8) | (octets[1] ?? 0);
  const curve = curves.find((known) => known.algorithm === algorithm && known.label === label);
  if (curve === undefined) {
    throw new CryptoError('unsupported', `Host Identity of algorithm ${algorithm}, curve ${label}`);
  }
  if (octets.length !== 2 + 2 * curve.coordinateBytes) {
    throw new CryptoError(
      'bad-key',
      `${octets.length} octets of Host Identity on a curve of ${curve.bits} bits`,
    );
  }
  // OpenSSL refuses what is not on the curve.
  return publicKeyFromSpki(concatenate(curve.spkiPrefix, octets.subarray(2)), 'hip');
}
