// Certificate revocation lists (RFC 5280 5): from DER to typed fields.
import {
  booleanOf,
  context,
  contextConstructed,
  DerReader,
  malformed,
  smallIntegerOf,
  Tag,
} from '../asn1/der-reader.ts';
import { equalOctets } from '../asn1/equal-octets.ts';
import { hexText } from '../asn1/hex-text.ts';
import { readTimeMs } from '../asn1/time.ts';
import { type DistinguishedName, parseDistinguishedName } from './distinguished-name.ts';
import { distributionPointUris, type Extension, readExtensions } from './extensions.ts';
import { readAlgorithmIdentifier, readSignedObject, type SignedObject } from './signed-object.ts';

export interface Revocation {
  readonly atMs: number;
  /** `key compromise`, `superseded`... as RFC 5280 5.3.1 lists them. */
  readonly reason: string;
}

/** What part of an issuer's certificates a list speaks of (RFC 5280 5.2.5). */
export interface IssuingDistributionPoint {
  readonly uris: readonly string[];
  readonly hasName: boolean;
  readonly onlyUserCertificates: boolean;
  readonly onlyAuthorityCertificates: boolean;
  readonly onlySomeReasons: boolean;
  readonly indirect: boolean;
  readonly onlyAttributeCertificates: boolean;
}

export interface RevocationList {
  readonly der: Uint8Array;
  readonly issuer: DistinguishedName;
  /** Wall-clock milliseconds. */
  readonly thisUpdateMs: number;
  readonly nextUpdateMs?: number;
  /** By the serial number in hexadecimal. */
  readonly revoked: ReadonlyMap<string, Revocation>;
  readonly authorityKeyIdentifier?: Uint8Array;
  readonly issuingDistributionPoint?: IssuingDistributionPoint;
  /** A delta list tells only what changed. */
  readonly delta: boolean;
  /** Object identifiers of critical extensions, of the list or of an entry, that this build does not process. */
  readonly unknownCriticalExtensions: readonly string[];
  readonly signed: SignedObject;
}

/** Lists are read from files and grow with their authority; this only bounds what a mistake can cost. */
const MAXIMUM_LIST_BYTES = 64 * 1024 * 1024;

const REASONS: readonly string[] = [
  'unspecified',
  'key compromise',
  'authority compromise',
  'affiliation changed',
  'superseded',
  'cessation of operation',
  'certificate hold',
  'unspecified',
  'remove from list',
  'privilege withdrawn',
  'attribute authority compromise',
];

export function revocationReason(code: number | undefined): string {
  return REASONS[code ?? 0] ?? `reason ${code}`;
}

/** @throws CryptoError `bad-certificate` */
export function parseRevocationList(der: Uint8Array): RevocationList {
  if (der.length > MAXIMUM_LIST_BYTES) throw malformed('revocation list', 'too long');
  const outer = new DerReader(der);
  const fields = outer.sequence('revocation list');
  outer.end('revocation list');
  const signed = readSignedObject(fields, 'revocation list');
  fields.end('revocation list');

  const body = new DerReader(signed.toBeSigned).sequence('tbsCertList');
  if (body.nextIs(Tag.INTEGER) && body.smallInteger('version') !== 1) throw malformed('version', 'not 2');
  if (!equalOctets(readAlgorithmIdentifier(body, 'signature').der, signed.signatureAlgorithm.der)) {
    throw malformed('revocation list', 'signature algorithm differs inside and outside');
  }
  const issuer = parseDistinguishedName(body.element(Tag.SEQUENCE, 'issuer').der, 'issuer');
  const thisUpdateMs = readTimeMs(body, 'thisUpdate');
  const dated = body.nextIs(Tag.UTC_TIME) || body.nextIs(Tag.GENERALIZED_TIME);
  const nextUpdate = dated ? { nextUpdateMs: readTimeMs(body, 'nextUpdate') } : {};
  const unknownCritical = new Set<string>();
  const entries = body.optional(Tag.SEQUENCE, 'revokedCertificates');
  const revoked = readEntries(new DerReader(entries?.contents ?? new Uint8Array()), unknownCritical);
  const wrapped = body.optional(contextConstructed(0), 'crlExtensions');
  body.end('tbsCertList');
  const extensions = wrapped === undefined ? {} : readListExtensions(wrapped.contents, unknownCritical);

  return {
    delta: false,
    ...extensions,
    ...nextUpdate,
    der,
    issuer,
    thisUpdateMs,
    revoked,
    unknownCriticalExtensions: [...unknownCritical],
    signed,
  };
}

function readEntries(entries: DerReader, unknownCritical: Set<string>): Map<string, Revocation> {
  const revoked = new Map<string, Revocation>();
  while (!entries.atEnd) {
    const entry = entries.sequence('revokedCertificate');
    const serial = hexText(entry.integer('userCertificate'));
    const atMs = readTimeMs(entry, 'revocationDate');
    const extensions = entry.atEnd
      ? []
      : readExtensions(entry.sequence('crlEntryExtensions'), 'crlEntryExtensions');
    entry.end('revokedCertificate');
    revoked.set(serial, { atMs, reason: revocationReason(readEntryExtensions(extensions, unknownCritical)) });
  }
  return revoked;
}

function readEntryExtensions(
  extensions: readonly Extension[],
  unknownCritical: Set<string>,
): number | undefined {
  let reason: number | undefined;
  for (const { type, critical, value } of extensions) {
    if (type === '2.5.29.21') {
      const reader = new DerReader(value);
      reason = smallIntegerOf(reader.element(Tag.ENUMERATED, 'reasonCode').contents, 'reasonCode');
      reader.end('reasonCode');
    } else if (critical) {
      unknownCritical.add(type);
    }
  }
  return reason;
}

type ListExtensions = Pick<RevocationList, 'authorityKeyIdentifier' | 'issuingDistributionPoint'> & {
  delta?: true;
};

function readListExtensions(der: Uint8Array, unknownCritical: Set<string>): ListExtensions {
  const explicit = new DerReader(der);
  const sequence = explicit.sequence('crlExtensions');
  explicit.end('crlExtensions');
  let found: ListExtensions = {};
  for (const { type, critical, value } of readExtensions(sequence, 'crlExtensions')) {
    if (type === '2.5.29.28')
      found = { ...found, issuingDistributionPoint: readDistributionPoint(new DerReader(value)) };
    else if (type === '2.5.29.27') found = { ...found, delta: true };
    else if (type === '2.5.29.35') {
      const field = 'authorityKeyIdentifier';
      const identifier = new DerReader(value).sequence(field).optional(context(0), field)?.contents;
      if (identifier !== undefined) found = { ...found, authorityKeyIdentifier: identifier };
    } else if (critical) unknownCritical.add(type);
  }
  return found;
}

function readDistributionPoint(reader: DerReader): IssuingDistributionPoint {
  const field = 'issuingDistributionPoint';
  const sequence = reader.sequence(field);
  reader.end(field);
  const name = sequence.optional(contextConstructed(0), field);
  const flag = (number: number): boolean => {
    const element = sequence.optional(context(number), field);
    return element !== undefined && booleanOf(element.contents, field);
  };
  const point: IssuingDistributionPoint = {
    uris: name === undefined ? [] : distributionPointUris(name.contents, field),
    hasName: name !== undefined,
    onlyUserCertificates: flag(1),
    onlyAuthorityCertificates: flag(2),
    onlySomeReasons: sequence.optional(context(3), field) !== undefined,
    indirect: flag(4),
    onlyAttributeCertificates: flag(5),
  };
  sequence.end(field);
  return point;
}
