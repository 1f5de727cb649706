// OCSP responses (RFC 6960 4.2): from DER to typed fields.
import {
  context,
  contextConstructed,
  DerReader,
  malformed,
  smallIntegerOf,
  Tag,
} from '../asn1/der-reader.ts';
import { readTimeMs } from '../asn1/time.ts';
import { type Certificate, MAXIMUM_CERTIFICATE_BYTES } from './certificate.ts';
import { type DistinguishedName, parseDistinguishedName } from './distinguished-name.ts';
import { readExtensions } from './extensions.ts';
import { parseCertificate } from './recent-certificates.ts';
import { type Revocation, revocationReason } from './revocation-list.ts';
import { readAlgorithmIdentifier, readSignedObject, type SignedObject } from './signed-object.ts';

export interface SingleResponse {
  /** Object identifier of the hash over the issuer's name and key. */
  readonly hashAlgorithm: string;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  readonly serial: Uint8Array;
  readonly status: 'good' | 'unknown' | Revocation;
  /** Wall-clock milliseconds. */
  readonly thisUpdateMs: number;
  readonly nextUpdateMs?: number;
}

export interface OcspResponse {
  readonly responder: { readonly name: DistinguishedName } | { readonly keyHash: Uint8Array };
  readonly responses: readonly SingleResponse[];
  /** Certificates the responder added. */
  readonly certificates: readonly Certificate[];
  /** Object identifiers of critical extensions this build does not process. */
  readonly unknownCriticalExtensions: readonly string[];
  readonly signed: SignedObject;
}

const BASIC_RESPONSE = '1.3.6.1.5.5.7.48.1.1';
/** A nonce answers a question of ours; as we ask none it restricts nothing. */
const NONCE = '1.3.6.1.5.5.7.48.1.2';

/** @throws CryptoError `bad-certificate`, also for a response that reports an error instead of a status */
export function parseOcspResponse(der: Uint8Array): OcspResponse {
  if (der.length > MAXIMUM_CERTIFICATE_BYTES) throw malformed('OCSP response', 'too long');
  const outer = new DerReader(der);
  const response = outer.sequence('OCSP response');
  outer.end('OCSP response');
  const { contents } = response.element(Tag.ENUMERATED, 'responseStatus');
  const status = smallIntegerOf(contents, 'responseStatus');
  if (status !== 0) throw malformed('OCSP response', `the responder reports error ${status}`);
  const explicit = response.enter(contextConstructed(0), 'responseBytes');
  response.end('OCSP response');
  const bytes = explicit.sequence('responseBytes');
  explicit.end('responseBytes');
  if (bytes.objectIdentifier('responseType') !== BASIC_RESPONSE) throw malformed('responseType', 'not basic');
  const basic = bytes.element(Tag.OCTET_STRING, 'response').contents;
  bytes.end('responseBytes');
  return readBasicResponse(basic);
}

function readBasicResponse(der: Uint8Array): OcspResponse {
  const outer = new DerReader(der);
  const fields = outer.sequence('BasicOCSPResponse');
  outer.end('BasicOCSPResponse');
  const signed = readSignedObject(fields, 'BasicOCSPResponse');
  const wrapped = fields.optional(contextConstructed(0), 'certs');
  fields.end('BasicOCSPResponse');

  const body = new DerReader(signed.toBeSigned).sequence('tbsResponseData');
  if (body.nextIs(contextConstructed(0))) throw malformed('version', 'not 1');
  const responder = readResponder(body);
  readTimeMs(body, 'producedAt');
  const responses = body.sequence('responses');
  const singles: SingleResponse[] = [];
  const unknownCritical: string[] = [];
  while (!responses.atEnd)
    singles.push(readSingleResponse(responses.sequence('SingleResponse'), unknownCritical));
  collectCritical(body, unknownCritical);
  body.end('tbsResponseData');
  return {
    responder,
    responses: singles,
    certificates: wrapped === undefined ? [] : readCertificates(wrapped.contents),
    unknownCriticalExtensions: unknownCritical,
    signed,
  };
}

function readResponder(body: DerReader): OcspResponse['responder'] {
  const { tag, contents } = body.any('responderID');
  if (tag === contextConstructed(1)) return { name: parseDistinguishedName(contents, 'responderID') };
  if (tag !== contextConstructed(2)) throw malformed('responderID', 'neither name nor key');
  const explicit = new DerReader(contents);
  const keyHash = explicit.element(Tag.OCTET_STRING, 'responderID').contents;
  explicit.end('responderID');
  return { keyHash };
}

function readSingleResponse(single: DerReader, unknownCritical: string[]): SingleResponse {
  const id = single.sequence('certID');
  const hashAlgorithm = readAlgorithmIdentifier(id, 'certID').algorithm;
  const issuerNameHash = id.element(Tag.OCTET_STRING, 'certID').contents;
  const issuerKeyHash = id.element(Tag.OCTET_STRING, 'certID').contents;
  const serial = id.integer('certID');
  id.end('certID');
  const status = readStatus(single);
  const thisUpdateMs = readTimeMs(single, 'thisUpdate');
  const next = single.optional(contextConstructed(0), 'nextUpdate');
  const dated =
    next === undefined ? {} : { nextUpdateMs: readTimeMs(new DerReader(next.contents), 'nextUpdate') };
  collectCritical(single, unknownCritical);
  single.end('SingleResponse');
  return { hashAlgorithm, issuerNameHash, issuerKeyHash, serial, status, thisUpdateMs, ...dated };
}

function readStatus(single: DerReader): SingleResponse['status'] {
  const { tag, contents } = single.any('certStatus');
  if (tag === context(0)) return 'good';
  if (tag === context(2)) return 'unknown';
  if (tag !== contextConstructed(1)) throw malformed('certStatus', 'neither good, revoked nor unknown');
  const revoked = new DerReader(contents);
  const atMs = readTimeMs(revoked, 'revocationTime');
  const reason = revoked.optional(contextConstructed(0), 'revocationReason');
  revoked.end('certStatus');
  if (reason === undefined) return { atMs, reason: revocationReason(undefined) };
  const code = new DerReader(reason.contents).element(Tag.ENUMERATED, 'revocationReason').contents;
  return { atMs, reason: revocationReason(smallIntegerOf(code, 'revocationReason')) };
}

function collectCritical(reader: DerReader, unknownCritical: string[]): void {
  const wrapped = reader.optional(contextConstructed(1), 'extensions');
  if (wrapped === undefined) return;
  const explicit = new DerReader(wrapped.contents);
  for (const { type, critical } of readExtensions(explicit.sequence('extensions'), 'extensions')) {
    if (critical && type !== NONCE) unknownCritical.push(type);
  }
  explicit.end('extensions');
}

function readCertificates(der: Uint8Array): Certificate[] {
  const explicit = new DerReader(der);
  const sequence = explicit.sequence('certs');
  explicit.end('certs');
  const certificates: Certificate[] = [];
  while (!sequence.atEnd) certificates.push(parseCertificate(sequence.element(Tag.SEQUENCE, 'certs').der));
  return certificates;
}
