// X.509 certificates (RFC 5280 4): from DER to the typed fields IKE needs.
import { createHash } from 'node:crypto';
import { context, contextConstructed, DerReader, malformed, Tag } from '../asn1/der-reader.ts';
import { equalOctets } from '../asn1/equal-octets.ts';
import { readTimeMs } from '../asn1/time.ts';
import { CryptoError } from '../error.ts';
import type { PublicKey } from '../ports.ts';
import { publicKeyFromSpki } from '../signatures/public-key.ts';
import { type DistinguishedName, parseDistinguishedName } from './distinguished-name.ts';
import { type CertificateExtensions, interpretExtensions, readExtensions } from './extensions.ts';
import { readAlgorithmIdentifier, readSignedObject, type SignedObject } from './signed-object.ts';

export interface Certificate extends CertificateExtensions {
  readonly der: Uint8Array;
  readonly version: 1 | 2 | 3;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Two's complement octets of the serial number. */
  readonly serial: Uint8Array;
  readonly publicKey: PublicKey;
  /** Wall-clock milliseconds; both ends are within the validity. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly signed: SignedObject;
}

/** Octets beyond which nothing is taken for a certificate, list or response that a peer sent. */
export const MAXIMUM_CERTIFICATE_BYTES = 65_536;

/**
 * @throws CryptoError `bad-certificate` if the octets are no certificate in DER; `unsupported` if its public key is of
 *   a kind no suite can use
 */
export function readCertificate(der: Uint8Array): Certificate {
  if (der.length > MAXIMUM_CERTIFICATE_BYTES) throw malformed('certificate', 'too long');
  const outer = new DerReader(der);
  const fields = outer.sequence('certificate');
  outer.end('certificate');
  const signed = readSignedObject(fields, 'certificate');
  fields.end('certificate');

  const body = new DerReader(signed.toBeSigned).sequence('tbsCertificate');
  const version = readVersion(body);
  const serial = body.integer('serialNumber');
  // Two algorithms that differ would let one be checked and another be meant (RFC 5280 4.1.1.2).
  if (!equalOctets(readAlgorithmIdentifier(body, 'signature').der, signed.signatureAlgorithm.der)) {
    throw malformed('certificate', 'signature algorithm differs inside and outside');
  }
  const issuer = parseDistinguishedName(body.element(Tag.SEQUENCE, 'issuer').der, 'issuer');
  const validity = body.sequence('validity');
  const notBeforeMs = readTimeMs(validity, 'notBefore');
  const notAfterMs = readTimeMs(validity, 'notAfter');
  validity.end('validity');
  const subject = parseDistinguishedName(body.element(Tag.SEQUENCE, 'subject').der, 'subject');
  const spki = body.element(Tag.SEQUENCE, 'subjectPublicKeyInfo').der;
  if (version >= 2) {
    body.optional(context(1), 'issuerUniqueID');
    body.optional(context(2), 'subjectUniqueID');
  }
  const wrapped = version === 3 ? body.optional(contextConstructed(3), 'extensions') : undefined;
  body.end('tbsCertificate');

  return {
    ...interpretExtensions(wrapped === undefined ? [] : unwrapExtensions(wrapped.contents)),
    der,
    version,
    subject,
    issuer,
    serial,
    publicKey: publicKeyOf(spki, subject),
    notBeforeMs,
    notAfterMs,
    signed,
  };
}

/** How messages name a certificate: its subject, if it has one. */
export function certificateTitle(certificate: Certificate): string {
  return certificate.subject.text || 'certificate without subject';
}

/** SHA-1 of a DER SubjectPublicKeyInfo: how CERTREQ names an authority (RFC 7296 3.7). */
export function publicKeyHash(spki: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha1').update(spki).digest());
}

function readVersion(body: DerReader): 1 | 2 | 3 {
  const explicit = body.optional(contextConstructed(0), 'version');
  if (explicit === undefined) return 1;
  const reader = new DerReader(explicit.contents);
  const number = reader.smallInteger('version');
  reader.end('version');
  // Version 1 is the default, which DER leaves out.
  if (number !== 1 && number !== 2) throw malformed('version', 'neither 2 nor 3');
  return number === 1 ? 2 : 3;
}

function unwrapExtensions(der: Uint8Array): ReturnType<typeof readExtensions> {
  const explicit = new DerReader(der);
  const sequence = explicit.sequence('extensions');
  explicit.end('extensions');
  return readExtensions(sequence, 'extensions');
}

function publicKeyOf(spki: Uint8Array, subject: DistinguishedName): PublicKey {
  try {
    const key = publicKeyFromSpki(spki);
    // Hashes of keys are taken over the octets in the certificate, should OpenSSL write them differently.
    return equalOctets(key.spki, spki) ? key : { ...key, spki };
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    const code = error.code === 'unsupported' ? 'unsupported' : 'bad-certificate';
    throw new CryptoError(code, `${subject.text}: ${error.message}`);
  }
}
