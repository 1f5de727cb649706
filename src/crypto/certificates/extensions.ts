// The certificate extensions of RFC 5280 4.2 that path validation and identity checks need.
import { context, contextConstructed, DerReader, malformed, Tag } from '../asn1/der-reader.ts';
import { type GeneralName, generalName, readGeneralNames } from './general-name.ts';

export type KeyUsage =
  | 'digitalSignature'
  | 'contentCommitment'
  | 'keyEncipherment'
  | 'dataEncipherment'
  | 'keyAgreement'
  | 'keyCertSign'
  | 'cRLSign'
  | 'encipherOnly'
  | 'decipherOnly';

const KEY_USAGES: readonly KeyUsage[] = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** What the extensions of one certificate say. An absent extension leaves its field absent or empty. */
export interface CertificateExtensions {
  readonly subjectAltNames: readonly GeneralName[];
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLength?: number };
  readonly keyUsage?: ReadonlySet<KeyUsage>;
  /** Object identifiers. */
  readonly extKeyUsage?: readonly string[];
  readonly authorityKeyIdentifier?: Uint8Array;
  readonly subjectKeyIdentifier?: Uint8Array;
  readonly nameConstraints?: NameConstraints;
  readonly crlDistributionPoints: readonly string[];
  readonly ocspUris: readonly string[];
  /** Object identifiers of critical extensions this build does not process. */
  readonly unknownCriticalExtensions: readonly string[];
}

export interface Extension {
  readonly type: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Mutable<CertificateExtensions>;

const OCSP_ACCESS = '1.3.6.1.5.5.7.48.1';

const readers: ReadonlyMap<string, (draft: Draft, reader: DerReader) => void> = new Map([
  ['2.5.29.14', readSubjectKeyIdentifier],
  ['2.5.29.15', readKeyUsage],
  ['2.5.29.17', readSubjectAltNames],
  ['2.5.29.19', readBasicConstraints],
  ['2.5.29.30', readNameConstraints],
  ['2.5.29.31', readCrlDistributionPoints],
  ['2.5.29.35', readAuthorityKeyIdentifier],
  ['2.5.29.37', readExtKeyUsage],
  ['1.3.6.1.5.5.7.1.1', readAuthorityInformationAccess],
]);

/**
 * Policies, policy mappings and inhibitAnyPolicy: with any policy acceptable and no explicit policy required they
 * cannot refuse a path (RFC 5280 6.1), so they are understood without being kept. policyConstraints is not among them.
 */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(['2.5.29.32', '2.5.29.33', '2.5.29.54']);

/** Reads `Extensions`; each may appear once (RFC 5280 4.2). */
export function readExtensions(sequence: DerReader, field: string): Extension[] {
  const found: Extension[] = [];
  while (!sequence.atEnd) {
    const extension = sequence.sequence(field);
    const type = extension.objectIdentifier(field);
    const critical = extension.nextIs(Tag.BOOLEAN) ? extension.boolean(field) : false;
    const value = extension.element(Tag.OCTET_STRING, field).contents;
    extension.end(field);
    if (found.some((other) => other.type === type)) throw malformed(field, `extension ${type} appears twice`);
    found.push({ type, critical, value });
  }
  return found;
}

/** @throws CryptoError `bad-certificate` if an extension of a known type is malformed */
export function interpretExtensions(extensions: readonly Extension[]): CertificateExtensions {
  const unknownCritical: string[] = [];
  const draft: Draft = {
    subjectAltNames: [],
    crlDistributionPoints: [],
    ocspUris: [],
    unknownCriticalExtensions: unknownCritical,
  };
  for (const { type, critical, value } of extensions) {
    const read = readers.get(type);
    if (read !== undefined) {
      const reader = new DerReader(value);
      read(draft, reader);
      reader.end(`extension ${type}`);
    } else if (critical && !WITHOUT_EFFECT.has(type)) {
      unknownCritical.push(type);
    }
  }
  return draft;
}

function readSubjectKeyIdentifier(draft: Draft, reader: DerReader): void {
  draft.subjectKeyIdentifier = reader.element(Tag.OCTET_STRING, 'subjectKeyIdentifier').contents;
}

function readKeyUsage(draft: Draft, reader: DerReader): void {
  const { contents } = reader.element(Tag.BIT_STRING, 'keyUsage');
  const [unused] = contents;
  if (unused === undefined || unused > 7 || (contents.length === 1 && unused !== 0)) {
    throw malformed('keyUsage', 'broken bit string');
  }
  draft.keyUsage = new Set(
    KEY_USAGES.filter((_usage, bit) => ((contents[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0),
  );
}

function readSubjectAltNames(draft: Draft, reader: DerReader): void {
  draft.subjectAltNames = readGeneralNames(reader.sequence('subjectAltName'), 'subjectAltName');
  for (const name of draft.subjectAltNames) {
    if (name.kind === 'ip' && name.value.length !== 4 && name.value.length !== 16) {
      throw malformed('subjectAltName', 'IP address of neither 4 nor 16 octets');
    }
  }
}

function readBasicConstraints(draft: Draft, reader: DerReader): void {
  const field = 'basicConstraints';
  const sequence = reader.sequence(field);
  const ca = sequence.nextIs(Tag.BOOLEAN) ? sequence.boolean(field) : false;
  const pathLength = sequence.nextIs(Tag.INTEGER) ? sequence.smallInteger(field) : undefined;
  sequence.end(field);
  draft.basicConstraints = pathLength === undefined ? { ca } : { ca, pathLength };
}

function readNameConstraints(draft: Draft, reader: DerReader): void {
  const field = 'nameConstraints';
  const sequence = reader.sequence(field);
  const permitted = sequence.optional(contextConstructed(0), field);
  const excluded = sequence.optional(contextConstructed(1), field);
  sequence.end(field);
  draft.nameConstraints = {
    permitted: permitted === undefined ? [] : subtreeBases(new DerReader(permitted.contents), field),
    excluded: excluded === undefined ? [] : subtreeBases(new DerReader(excluded.contents), field),
  };
}

function subtreeBases(reader: DerReader, field: string): GeneralName[] {
  const bases: GeneralName[] = [];
  while (!reader.atEnd) {
    const subtree = reader.sequence(field);
    const base = generalName(subtree.any(field), field);
    // minimum is 0 by default and maximum absent; RFC 5280 4.2.1.10 allows nothing else.
    subtree.end(field);
    if (base.kind === 'ip' && base.value.length !== 8 && base.value.length !== 32) {
      throw malformed(field, 'IP address range of neither 8 nor 32 octets');
    }
    bases.push(base);
  }
  return bases;
}

function readCrlDistributionPoints(draft: Draft, reader: DerReader): void {
  const field = 'cRLDistributionPoints';
  const points = reader.sequence(field);
  const uris: string[] = [];
  while (!points.atEnd) {
    const point = points.sequence(field);
    const name = point.optional(contextConstructed(0), field);
    point.optional(context(1), field);
    point.optional(contextConstructed(2), field);
    point.end(field);
    if (name !== undefined) uris.push(...distributionPointUris(name.contents, field));
  }
  draft.crlDistributionPoints = uris;
}

/** URIs of a DistributionPointName; a name relative to the issuer has none. */
export function distributionPointUris(der: Uint8Array, field: string): string[] {
  const full = new DerReader(der).optional(contextConstructed(0), field);
  if (full === undefined) return [];
  return uris(readGeneralNames(new DerReader(full.contents), field));
}

function uris(names: readonly GeneralName[]): string[] {
  return names.flatMap((name) => (name.kind === 'uri' ? [name.value] : []));
}

function readAuthorityKeyIdentifier(draft: Draft, reader: DerReader): void {
  const field = 'authorityKeyIdentifier';
  const sequence = reader.sequence(field);
  const identifier = sequence.optional(context(0), field);
  sequence.optional(contextConstructed(1), field);
  sequence.optional(context(2), field);
  sequence.end(field);
  if (identifier !== undefined) draft.authorityKeyIdentifier = identifier.contents;
}

function readExtKeyUsage(draft: Draft, reader: DerReader): void {
  const sequence = reader.sequence('extKeyUsage');
  const usages: string[] = [];
  while (!sequence.atEnd) usages.push(sequence.objectIdentifier('extKeyUsage'));
  draft.extKeyUsage = usages;
}

function readAuthorityInformationAccess(draft: Draft, reader: DerReader): void {
  const field = 'authorityInfoAccess';
  const sequence = reader.sequence(field);
  const found: GeneralName[] = [];
  while (!sequence.atEnd) {
    const access = sequence.sequence(field);
    const method = access.objectIdentifier(field);
    const location = generalName(access.any(field), field);
    access.end(field);
    if (method === OCSP_ACCESS) found.push(location);
  }
  draft.ocspUris = uris(found);
}
