// The AlgorithmIdentifier in front of a Digital Signature (RFC 7427 3 and appendix A, RFC 8420 for EdDSA).
//
// The schemes have finitely many DER encodings, so decoding is a table look-up: no parser, nothing to get wrong.
import { concatenate, hex } from '../key-material/octets.ts';
import type { SignatureScheme } from '../ports.ts';

const Tag = { INTEGER: '02', NULL: '0500', OBJECT_IDENTIFIER: '06', SEQUENCE: '30' } as const;

/** DER with the short form of length, which is all that is needed here. */
function element(tag: string, ...content: readonly Uint8Array[]): Uint8Array {
  const value = concatenate(...content);
  return concatenate(hex(tag), Uint8Array.of(value.length), value);
}

const objectIdentifier = (digits: string): Uint8Array => element(Tag.OBJECT_IDENTIFIER, hex(digits));
const nullParameters = hex(Tag.NULL);
const absent = new Uint8Array(0);

function pkcs1(last: string): Uint8Array[] {
  const oid = objectIdentifier(`2a864886f70d0101${last}`);
  // RFC 4055 5: parameters are NULL; RFC 7427 A.1 and old software disagree often enough to accept absence.
  return [nullParameters, absent].map((parameters) => element(Tag.SEQUENCE, oid, parameters));
}

function plainIdentifier(digits: string): Uint8Array[] {
  return [element(Tag.SEQUENCE, objectIdentifier(digits))];
}

/** RFC 4055 3.1: hash and MGF1 with the same hash, salt as long as the hash. First the encoding of RFC 7427 A.4, A.4.3. */
function pss(hashLast: string, saltBytes: number): Uint8Array[] {
  const hash = objectIdentifier(`6086480165030402${hashLast}`);
  const mgf1 = objectIdentifier('2a864886f70d010108');
  const identifiers = [nullParameters, absent].map((parameters) => element(Tag.SEQUENCE, hash, parameters));
  const salt = element('a2', element(Tag.INTEGER, Uint8Array.of(saltBytes)));
  const trailers = [element('a3', element(Tag.INTEGER, Uint8Array.of(1))), absent];
  return identifiers.flatMap((outer) =>
    identifiers.flatMap((inner) =>
      trailers.map((trailer) => {
        const generator = element('a1', element(Tag.SEQUENCE, mgf1, inner));
        const parameters = element(Tag.SEQUENCE, element('a0', outer), generator, salt, trailer);
        return element(Tag.SEQUENCE, objectIdentifier('2a864886f70d01010a'), parameters);
      }),
    ),
  );
}

/** Per scheme, the encoding we send first and then all others that are accepted. */
const encodings: Readonly<Record<SignatureScheme, readonly Uint8Array[]>> = {
  'rsa-pkcs1-sha1': pkcs1('05'),
  'rsa-pkcs1-sha256': pkcs1('0b'),
  'rsa-pkcs1-sha384': pkcs1('0c'),
  'rsa-pkcs1-sha512': pkcs1('0d'),
  'rsa-pss-sha256': pss('01', 32),
  'rsa-pss-sha384': pss('02', 48),
  'rsa-pss-sha512': pss('03', 64),
  // RFC 7427 A.3
  'ecdsa-sha1': plainIdentifier('2a8648ce3d0401'),
  'ecdsa-sha256': plainIdentifier('2a8648ce3d040302'),
  'ecdsa-sha384': plainIdentifier('2a8648ce3d040303'),
  'ecdsa-sha512': plainIdentifier('2a8648ce3d040304'),
  ed25519: plainIdentifier('2b6570'),
  ed448: plainIdentifier('2b6571'),
};

const schemes: ReadonlyMap<string, SignatureScheme> = new Map(
  Object.entries(encodings).flatMap(([scheme, all]) =>
    all.map((der) => [der.join(), scheme as SignatureScheme] as const),
  ),
);

/** The DER AlgorithmIdentifier, a copy of its own. */
export function encodeAuthenticationAlgorithm(scheme: SignatureScheme): Uint8Array {
  return encodings[scheme][0]!.slice();
}

/** The scheme that a DER AlgorithmIdentifier names; `undefined` for DSA, PSS with SHA-1 or an odd salt, and garbage. */
export function decodeAuthenticationAlgorithm(der: Uint8Array): SignatureScheme | undefined {
  // No known encoding has more octets; the bound keeps a huge field from becoming a huge string.
  return der.length > 96 ? undefined : schemes.get(der.join());
}
