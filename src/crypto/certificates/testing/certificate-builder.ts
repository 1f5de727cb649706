// Certificates and lists to order, right or wrong in any field: what no careful tool would issue. Keys come from names.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  type PrivateKeyInput,
  sign,
} from 'node:crypto';
import { context, contextConstructed, Tag } from '../../asn1/der-reader.ts';
import { derElement, derObjectIdentifier } from '../../asn1/der-writer.ts';
import { distinguishedNameFromText } from '../distinguished-name-text.ts';

export const DAY_MS = 86_400_000;
/** 2030-01-01 00:00:00 UTC: within the validity of every fixture, list and response. */
export const NOW_MS = 1_893_456_000_000;

const ED25519 = sequence(derObjectIdentifier('1.3.101.112'));

/** One who holds a key and a certificate for it. */
export interface Holder {
  readonly name: Uint8Array;
  readonly key: KeyObject;
  readonly der: Uint8Array;
  readonly serial: number;
}

export interface CertificateFields {
  readonly subject: string;
  /** Absent: signed by its own key. */
  readonly issuer?: Holder;
  /** The issuer's name in the certificate, if it is not the issuer's. */
  readonly issuerName?: string;
  /** Names the key; the subject by default. */
  readonly key?: string;
  /** DER SubjectPublicKeyInfo in the certificate, if it is not that of the key. */
  readonly publicKey?: Uint8Array;
  readonly serial?: number;
  readonly version?: 1 | 3;
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  readonly extensions?: readonly Uint8Array[];
}

let lastSerial = 0x1000;

export function certificate(fields: CertificateFields): Holder {
  const name = distinguishedNameFromText(fields.subject);
  const key = keyOf(fields.key ?? fields.subject);
  const serial = fields.serial ?? ++lastSerial;
  const issuerName =
    fields.issuerName === undefined ? undefined : distinguishedNameFromText(fields.issuerName);
  const extensions = fields.extensions ?? [];
  const body = sequence(
    ...(fields.version === 1 ? [] : [derElement(contextConstructed(0), integer(2))]),
    integer(serial),
    ED25519,
    issuerName ?? fields.issuer?.name ?? name,
    sequence(time(fields.notBeforeMs ?? NOW_MS - DAY_MS), time(fields.notAfterMs ?? NOW_MS + DAY_MS)),
    name,
    fields.publicKey ?? createPublicKey(key).export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [derElement(contextConstructed(3), sequence(...extensions))]),
  );
  return { name, key, der: signed(body, fields.issuer?.key ?? key), serial };
}

/** A certificate authority; further extensions may be given. */
export function authority(fields: CertificateFields & { readonly pathLength?: number }): Holder {
  const extensions = [
    basicConstraints(true, fields.pathLength),
    keyUsage(5, 6),
    ...(fields.extensions ?? []),
  ];
  return certificate({ ...fields, extensions });
}

export interface RevocationListFields {
  readonly issuer: Holder;
  /** Serial numbers, with RFC 5280 5.3.1 reason codes where wanted. */
  readonly revoked?: readonly {
    readonly serial: number;
    readonly reason?: number;
    readonly critical?: string;
  }[];
  readonly thisUpdateMs?: number;
  readonly nextUpdateMs?: number | 'absent';
  readonly extensions?: readonly Uint8Array[];
  readonly signer?: Holder;
}

export function revocationList(fields: RevocationListFields): Uint8Array {
  const entries = (fields.revoked ?? []).map(({ serial, reason, critical }) => {
    const extensions = [
      ...(reason === undefined
        ? []
        : [extension('2.5.29.21', false, derElement(Tag.ENUMERATED, Uint8Array.of(reason)))]),
      ...(critical === undefined ? [] : [extension(critical, true, Uint8Array.of(Tag.NULL, 0))]),
    ];
    return sequence(
      integer(serial),
      time(NOW_MS - DAY_MS),
      ...(extensions.length > 0 ? [sequence(...extensions)] : []),
    );
  });
  const body = sequence(
    integer(1),
    ED25519,
    fields.issuer.name,
    time(fields.thisUpdateMs ?? NOW_MS - DAY_MS),
    ...(fields.nextUpdateMs === 'absent' ? [] : [time(fields.nextUpdateMs ?? NOW_MS + DAY_MS)]),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    ...(fields.extensions ? [derElement(contextConstructed(0), sequence(...fields.extensions))] : []),
  );
  return signed(body, (fields.signer ?? fields.issuer).key);
}

export interface OcspFields {
  readonly issuer: Holder;
  readonly certificate: Holder;
  readonly signer: Holder;
  readonly status?: 'good' | 'unknown' | 'revoked';
  readonly thisUpdateMs?: number;
  readonly nextUpdateMs?: number | 'absent';
  readonly certificates?: readonly Uint8Array[];
}

export function ocspResponse(fields: OcspFields): Uint8Array {
  const key = createPublicKey(fields.issuer.key).export({ type: 'spki', format: 'der' }).subarray(12);
  const status = {
    good: derElement(context(0)),
    unknown: derElement(context(2)),
    revoked: derElement(contextConstructed(1), time(NOW_MS - DAY_MS)),
  }[fields.status ?? 'good'];
  const single = sequence(
    sequence(
      sequence(derObjectIdentifier('1.3.14.3.2.26')),
      derElement(Tag.OCTET_STRING, createHash('sha1').update(fields.issuer.name).digest()),
      derElement(Tag.OCTET_STRING, createHash('sha1').update(key).digest()),
      integer(fields.certificate.serial),
    ),
    status,
    time(fields.thisUpdateMs ?? NOW_MS - DAY_MS),
    ...(fields.nextUpdateMs === 'absent'
      ? []
      : [derElement(contextConstructed(0), time(fields.nextUpdateMs ?? NOW_MS + DAY_MS))]),
  );
  const body = sequence(
    derElement(contextConstructed(1), fields.signer.name),
    time(NOW_MS - DAY_MS),
    sequence(single),
  );
  const certs = fields.certificates
    ? [derElement(contextConstructed(0), sequence(...fields.certificates))]
    : [];
  const basic = sequence(body, ED25519, bits(sign(null, body, fields.signer.key)), ...certs);
  return sequence(
    derElement(Tag.ENUMERATED, Uint8Array.of(0)),
    derElement(
      contextConstructed(0),
      sequence(derObjectIdentifier('1.3.6.1.5.5.7.48.1.1'), derElement(Tag.OCTET_STRING, basic)),
    ),
  );
}

export function extension(type: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [derElement(Tag.BOOLEAN, Uint8Array.of(0xff))] : [];
  return sequence(derObjectIdentifier(type), ...flag, derElement(Tag.OCTET_STRING, value));
}

export function basicConstraints(ca: boolean, pathLength?: number): Uint8Array {
  const flag = ca ? [derElement(Tag.BOOLEAN, Uint8Array.of(0xff))] : [];
  return extension(
    '2.5.29.19',
    true,
    sequence(...flag, ...(pathLength === undefined ? [] : [integer(pathLength)])),
  );
}

/** Bit numbers of RFC 5280 4.2.1.3: 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign, 6 cRLSign. */
export function keyUsage(...numbers: readonly number[]): Uint8Array {
  const octet = numbers.reduce((sum, number) => sum | (0x80 >> number), 0);
  const unused = Math.max(0, 7 - Math.max(...numbers));
  return extension('2.5.29.15', true, derElement(Tag.BIT_STRING, Uint8Array.of(unused, octet)));
}

export function extKeyUsage(...types: readonly string[]): Uint8Array {
  return extension('2.5.29.37', false, sequence(...types.map(derObjectIdentifier)));
}

export function subjectAltName(...names: readonly Uint8Array[]): Uint8Array {
  return extension('2.5.29.17', false, sequence(...names));
}

export function nameConstraints(subtrees: {
  readonly permitted?: readonly Uint8Array[];
  readonly excluded?: readonly Uint8Array[];
}): Uint8Array {
  const list = (number: number, names: readonly Uint8Array[] | undefined): Uint8Array[] =>
    names === undefined
      ? []
      : [derElement(contextConstructed(number), ...names.map((name) => sequence(name)))];
  return extension(
    '2.5.29.30',
    true,
    sequence(...list(0, subtrees.permitted), ...list(1, subtrees.excluded)),
  );
}

export function crlDistributionPoint(address: string): Uint8Array {
  return extension(
    '2.5.29.31',
    false,
    sequence(sequence(derElement(contextConstructed(0), fullName(address)))),
  );
}

/** The flags are context tags 1 to 5 of RFC 5280 5.2.5. */
export function issuingDistributionPoint(
  address: string | undefined,
  ...flags: readonly number[]
): Uint8Array {
  const name = address === undefined ? [] : [derElement(contextConstructed(0), fullName(address))];
  const set = flags.map((flag) =>
    derElement(context(flag), flag === 3 ? Uint8Array.of(1, 2) : Uint8Array.of(0xff)),
  );
  return extension('2.5.29.28', true, sequence(...name, ...set));
}

function fullName(address: string): Uint8Array {
  return derElement(contextConstructed(0), uri(address));
}

export const email = (text: string): Uint8Array => derElement(context(1), new TextEncoder().encode(text));
export const dns = (text: string): Uint8Array => derElement(context(2), new TextEncoder().encode(text));
export const uri = (text: string): Uint8Array => derElement(context(6), new TextEncoder().encode(text));
export const ip = (...octets: readonly number[]): Uint8Array =>
  derElement(context(7), Uint8Array.from(octets));
export const directory = (text: string): Uint8Array =>
  derElement(contextConstructed(4), distinguishedNameFromText(text));
/** An otherName: a user principal name, say. */
export const otherName = (text: string): Uint8Array =>
  derElement(
    contextConstructed(0),
    derObjectIdentifier('1.3.6.1.4.1.311.20.2.3'),
    derElement(contextConstructed(0), derElement(Tag.UTF8_STRING, new TextEncoder().encode(text))),
  );

function keyOf(name: string): KeyObject {
  const seed = createHash('sha256').update(name).digest();
  const prefix = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);
  const der = new Uint8Array([...prefix, ...seed]);
  return createPrivateKey({ key: der as PrivateKeyInput['key'], format: 'der', type: 'pkcs8' });
}

function signed(body: Uint8Array, key: KeyObject): Uint8Array {
  return sequence(body, ED25519, bits(sign(null, body, key)));
}

function sequence(...contents: readonly Uint8Array[]): Uint8Array {
  return derElement(Tag.SEQUENCE, ...contents);
}

function bits(octets: Uint8Array): Uint8Array {
  return derElement(Tag.BIT_STRING, Uint8Array.of(0), octets);
}

function integer(value: number): Uint8Array {
  return derElement(
    Tag.INTEGER,
    value < 0x80 ? Uint8Array.of(value) : Uint8Array.of(value >> 8, value & 0xff),
  );
}

function time(ms: number): Uint8Array {
  const text = `${new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')}`;
  return derElement(Tag.GENERALIZED_TIME, new TextEncoder().encode(text));
}
