// The signature algorithms of certificates, lists and responses, and their verification.
import { constants, type KeyObject, verify } from 'node:crypto';
import { contextConstructed, DerReader, Tag } from '../asn1/der-reader.ts';
import { equalOctets } from '../asn1/equal-octets.ts';
import { CryptoError } from '../error.ts';
import type { PublicKey } from '../ports.ts';
import { publicKeyObject } from '../signatures/public-key.ts';
import { type AlgorithmIdentifier, readAlgorithmIdentifier, type SignedObject } from './signed-object.ts';

type Hash = 'sha256' | 'sha384' | 'sha512';
type Scheme =
  | { readonly kind: 'rsa' | 'ec'; readonly hash: Hash }
  | { readonly kind: 'rsa-pss'; readonly hash: Hash; readonly saltBytes: number }
  | { readonly kind: 'ed25519' | 'ed448' };

const RSASSA_PSS = '1.2.840.113549.1.1.10';
const MGF1 = '1.2.840.113549.1.1.8';
const DER_NULL = Uint8Array.of(Tag.NULL, 0);

const SCHEMES: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  ['1.2.840.113549.1.1.11', { kind: 'rsa', hash: 'sha256' }],
  ['1.2.840.113549.1.1.12', { kind: 'rsa', hash: 'sha384' }],
  ['1.2.840.113549.1.1.13', { kind: 'rsa', hash: 'sha512' }],
  ['1.2.840.10045.4.3.2', { kind: 'ec', hash: 'sha256' }],
  ['1.2.840.10045.4.3.3', { kind: 'ec', hash: 'sha384' }],
  ['1.2.840.10045.4.3.4', { kind: 'ec', hash: 'sha512' }],
  ['1.3.101.112', { kind: 'ed25519' }],
  ['1.3.101.113', { kind: 'ed448' }],
]);

/** Hashes for which collisions are made in practice: a signature over one proves nothing. */
const BROKEN: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.2', 'MD2'],
  ['1.2.840.113549.1.1.3', 'MD4'],
  ['1.2.840.113549.1.1.4', 'MD5'],
  ['1.2.840.113549.1.1.5', 'SHA-1'],
  ['1.3.14.3.2.29', 'SHA-1'],
  ['1.2.840.10045.4.1', 'SHA-1'],
]);

const HASHES: ReadonlyMap<string, Hash> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

/**
 * Why the signature does not hold under the key, to follow "its signature"; undefined if it holds.
 */
export function signatureProblem(signed: SignedObject, signer: PublicKey): string | undefined {
  const broken = BROKEN.get(signed.signatureAlgorithm.algorithm);
  if (broken !== undefined) return `uses ${broken}, which is no longer accepted`;
  let scheme: Scheme;
  try {
    scheme = schemeOf(signed.signatureAlgorithm);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return `uses ${error.message}`;
  }
  const key = publicKeyObject(signer);
  if (key.asymmetricKeyType !== keyTypeOf(scheme)) return "is of another kind than the issuer's key";
  const known = verified.get(signed);
  if (known?.has(signer) === true) return undefined;
  if (!holds(scheme, signed, key)) return 'does not verify';
  if (known === undefined) verified.set(signed, new WeakSet([signer]));
  else known.add(signer);
  return undefined;
}

/** Which keys verify what, for as long as both are remembered elsewhere: neither of them changes. */
const verified = new WeakMap<SignedObject, WeakSet<PublicKey>>();

function keyTypeOf(scheme: Scheme): string {
  return scheme.kind === 'rsa-pss' ? 'rsa' : scheme.kind;
}

function holds(scheme: Scheme, signed: SignedObject, key: KeyObject): boolean {
  const { toBeSigned, signature } = signed;
  try {
    switch (scheme.kind) {
      case 'rsa':
        return verify(scheme.hash, toBeSigned, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
      case 'rsa-pss':
        return verify(
          scheme.hash,
          toBeSigned,
          { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltBytes },
          signature,
        );
      case 'ec':
        return verify(scheme.hash, toBeSigned, { key, dsaEncoding: 'der' }, signature);
      default:
        return verify(null, toBeSigned, key, signature);
    }
  } catch {
    return false;
  }
}

function schemeOf(identifier: AlgorithmIdentifier): Scheme {
  const { algorithm, parameters } = identifier;
  if (algorithm === RSASSA_PSS) return pssScheme(parameters);
  const scheme = SCHEMES.get(algorithm);
  if (scheme === undefined) throw new CryptoError('unsupported', `the unsupported algorithm ${algorithm}`);
  // RFC 4055 5 wants NULL with RSA, RFC 5758 and RFC 8410 want nothing; both are tolerated for RSA only.
  const expected = parameters === undefined || (scheme.kind === 'rsa' && equalOctets(parameters, DER_NULL));
  if (!expected) throw new CryptoError('unsupported', `unexpected parameters of algorithm ${algorithm}`);
  return scheme;
}

/** RFC 4055 3.1. Every default is SHA-1, so all of hash, mask generation and salt length must be given. */
function pssScheme(parameters: Uint8Array | undefined): Scheme {
  const field = 'RSASSA-PSS parameters';
  const reader = new DerReader(parameters ?? Uint8Array.of(Tag.SEQUENCE, 0));
  const sequence = reader.sequence(field);
  reader.end(field);
  const part = (number: number): DerReader | undefined => {
    const element = sequence.optional(contextConstructed(number), field);
    return element && new DerReader(element.contents);
  };
  const hashIdentifier = part(0);
  const hash = hashIdentifier && hashOf(readAlgorithmIdentifier(hashIdentifier, field));
  const maskGeneration = part(1);
  const mask = maskGeneration && readAlgorithmIdentifier(maskGeneration, field);
  const maskHash =
    mask?.algorithm === MGF1 && mask.parameters
      ? hashOf(readAlgorithmIdentifier(new DerReader(mask.parameters), field))
      : undefined;
  const saltBytes = part(2)?.smallInteger(field) ?? 20;
  const trailer = part(3)?.smallInteger(field) ?? 1;
  sequence.end(field);
  if (hash === undefined || maskHash !== hash || trailer !== 1) {
    throw new CryptoError('unsupported', 'RSASSA-PSS with hashes that are not accepted');
  }
  return { kind: 'rsa-pss', hash, saltBytes };
}

function hashOf(identifier: AlgorithmIdentifier): Hash | undefined {
  return HASHES.get(identifier.algorithm);
}
