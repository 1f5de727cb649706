// Whether a certificate is revoked, by the lists and OCSP responses at hand (RFC 5280 6.3, RFC 6960 3.2).
import { createHash } from 'node:crypto';
import { DerReader, Tag } from '../asn1/der-reader.ts';
import { equalOctets } from '../asn1/equal-octets.ts';
import { hexText } from '../asn1/hex-text.ts';
import { timeText } from '../asn1/time.ts';
import { type Certificate, certificateTitle, publicKeyHash } from './certificate.ts';
import type { OcspResponse, SingleResponse } from './ocsp-response.ts';
import type { Revocation, RevocationList } from './revocation-list.ts';
import { signatureProblem } from './signature-algorithms.ts';

export interface RevocationEvidence {
  readonly revocationLists: readonly RevocationList[];
  readonly ocspResponses: readonly OcspResponse[];
}

export type RevocationPolicy = 'strict' | 'ifuri' | 'relaxed';

type Status =
  | { readonly kind: 'good' }
  | { readonly kind: 'revoked'; readonly revocation: Revocation }
  | Unknown;
interface Unknown {
  readonly kind: 'unknown';
  readonly why: string;
}

const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
/** How long a response without nextUpdate is taken for current. */
const UNDATED_RESPONSE_MS = 3_600_000;

/**
 * Why the certificate is refused for revocation, to follow its name; undefined if it is not.
 *
 * - `strict`: there must be good and current evidence
 * - `ifuri`: likewise if the certificate names a place to ask
 * - `relaxed`: only evidence of revocation counts
 */
export function revocationProblem(
  certificate: Certificate,
  issuer: Certificate,
  evidence: RevocationEvidence,
  policy: RevocationPolicy,
  nowMs: number,
): string | undefined {
  const statuses = [
    ...evidence.ocspResponses.flatMap((response) => ocspStatus(response, certificate, issuer, nowMs)),
    ...evidence.revocationLists.flatMap((list) => listStatus(list, certificate, issuer, nowMs)),
  ];
  for (const status of statuses) {
    if (status.kind === 'revoked') {
      return `revoked on ${timeText(status.revocation.atMs)} (${status.revocation.reason})`;
    }
  }
  if (policy === 'relaxed' || statuses.some(({ kind }) => kind === 'good')) return undefined;
  if (policy === 'ifuri' && certificate.crlDistributionPoints.length + certificate.ocspUris.length === 0) {
    return undefined;
  }
  const why = statuses.find((status): status is Unknown => status.kind === 'unknown')?.why;
  return `its revocation status is unknown (${why ?? 'no revocation list or OCSP response for it'})`;
}

function unknown(why: string): Status[] {
  return [{ kind: 'unknown', why }];
}

/** What one list says; nothing if it is of another issuer. */
function listStatus(
  list: RevocationList,
  certificate: Certificate,
  issuer: Certificate,
  nowMs: number,
): Status[] {
  if (list.issuer.key !== certificate.issuer.key) return [];
  if (issuer.keyUsage?.has('cRLSign') === false) return unknown('its issuer may not sign revocation lists');
  const problem = signatureProblem(list.signed, issuer.publicKey);
  if (problem !== undefined) return unknown(`the signature of its revocation list ${problem}`);
  const [critical] = list.unknownCriticalExtensions;
  if (critical !== undefined)
    return unknown(`its revocation list has the unknown critical extension ${critical}`);
  const point = list.issuingDistributionPoint;
  if (point?.indirect) return unknown('its revocation list is indirect');
  const revocation = list.revoked.get(hexText(certificate.serial));
  // A list that went out of date still tells of what was revoked before.
  if (revocation !== undefined && revocation.reason !== 'remove from list')
    return [{ kind: 'revoked', revocation }];
  if (list.delta || !covers(list, certificate)) return unknown('the revocation list does not cover it');
  if (list.thisUpdateMs > nowMs) return unknown('its revocation list is not yet valid');
  if (list.nextUpdateMs === undefined)
    return unknown('its revocation list does not say how long it is valid');
  if (list.nextUpdateMs < nowMs)
    return unknown(`its revocation list expired on ${timeText(list.nextUpdateMs)}`);
  return [{ kind: 'good' }];
}

/** RFC 5280 6.3.3 (b) (2). */
function covers(list: RevocationList, certificate: Certificate): boolean {
  const point = list.issuingDistributionPoint;
  if (point === undefined) return true;
  const authority = certificate.basicConstraints?.ca === true;
  if (point.onlySomeReasons || point.onlyAttributeCertificates) return false;
  if (authority ? point.onlyUserCertificates : point.onlyAuthorityCertificates) return false;
  return !point.hasName || point.uris.some((uri) => certificate.crlDistributionPoints.includes(uri));
}

/** What one response says; nothing if it speaks of other certificates only. */
function ocspStatus(
  response: OcspResponse,
  certificate: Certificate,
  issuer: Certificate,
  nowMs: number,
): Status[] {
  const singles = response.responses.filter((candidate) => speaksOf(candidate, certificate, issuer));
  if (singles.length === 0) return [];
  const responder = responderCertificate(response, issuer, nowMs);
  if (typeof responder === 'string') return unknown(responder);
  const problem = signatureProblem(response.signed, responder.publicKey);
  if (problem !== undefined) return unknown(`the signature of its OCSP response ${problem}`);
  const [critical] = response.unknownCriticalExtensions;
  if (critical !== undefined)
    return unknown(`its OCSP response has the unknown critical extension ${critical}`);
  return singles.flatMap((single) => singleStatus(single, nowMs));
}

function singleStatus(single: SingleResponse, nowMs: number): Status[] {
  if (single.status === 'unknown') return unknown('the OCSP responder does not know it');
  if (single.status !== 'good') return [{ kind: 'revoked', revocation: single.status }];
  if (single.thisUpdateMs > nowMs) return unknown('its OCSP response is not yet valid');
  const untilMs = single.nextUpdateMs ?? single.thisUpdateMs + UNDATED_RESPONSE_MS;
  if (untilMs < nowMs) return unknown(`its OCSP response expired on ${timeText(untilMs)}`);
  return [{ kind: 'good' }];
}

const CERT_ID_HASHES: ReadonlyMap<string, string> = new Map([
  // Not a signature: the hash only finds the issuer, so SHA-1 does no harm here.
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

function speaksOf(single: SingleResponse, certificate: Certificate, issuer: Certificate): boolean {
  const name = CERT_ID_HASHES.get(single.hashAlgorithm);
  if (name === undefined || !equalOctets(single.serial, certificate.serial)) return false;
  const digest = (octets: Uint8Array): Uint8Array => createHash(name).update(octets).digest();
  return (
    equalOctets(single.issuerKeyHash, digest(keyOctets(issuer.publicKey.spki))) &&
    equalOctets(single.issuerNameHash, digest(certificate.issuer.der))
  );
}

/** The BIT STRING of a SubjectPublicKeyInfo, which OCSP hashes without its algorithm. */
function keyOctets(spki: Uint8Array): Uint8Array {
  const sequence = new DerReader(spki).sequence('subjectPublicKeyInfo');
  sequence.element(Tag.SEQUENCE, 'algorithm');
  return sequence.bitOctets('subjectPublicKey');
}

/** The issuer itself, or one it issued for the purpose (RFC 6960 4.2.2.2); else why there is none. */
function responderCertificate(
  response: OcspResponse,
  issuer: Certificate,
  nowMs: number,
): Certificate | string {
  if (isResponder(response, issuer)) return issuer;
  const delegate = response.certificates.find((candidate) => isResponder(response, candidate));
  if (delegate === undefined) return 'the certificate of the OCSP responder is missing';
  const authorized =
    delegate.issuer.key === issuer.subject.key &&
    delegate.extKeyUsage?.includes(OCSP_SIGNING) === true &&
    delegate.keyUsage?.has('digitalSignature') !== false &&
    delegate.unknownCriticalExtensions.length === 0 &&
    signatureProblem(delegate.signed, issuer.publicKey) === undefined;
  if (!authorized) return `OCSP responder ${certificateTitle(delegate)} is not authorized by its issuer`;
  if (nowMs < delegate.notBeforeMs || nowMs > delegate.notAfterMs) {
    return `the certificate of OCSP responder ${certificateTitle(delegate)} is not valid now`;
  }
  return delegate;
}

function isResponder(response: OcspResponse, candidate: Certificate): boolean {
  const { responder } = response;
  if ('name' in responder) return responder.name.key === candidate.subject.key;
  return equalOctets(responder.keyHash, publicKeyHash(keyOctets(candidate.publicKey.spki)));
}
