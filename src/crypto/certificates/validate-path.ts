// The compute job `validate-path`: is there a path from this end entity to a trust anchor that nothing speaks against?
import { equalOctets } from '../asn1/equal-octets.ts';
import type { ValidatePathJob, ValidatePathResult } from '../compute.ts';
import { CryptoError } from '../error.ts';
import { type Certificate, certificateTitle } from './certificate.ts';
import { type OcspResponse, parseOcspResponse } from './ocsp-response.ts';
import { candidatePaths, type DeadEnd } from './path-building.ts';
import { pathProblem } from './path-validation.ts';
import { parseCertificate } from './recent-certificates.ts';
import { type RevocationEvidence, revocationProblem } from './revocation.ts';
import { parseRevocationList, type RevocationList } from './revocation-list.ts';

/** Certificates considered beside the trust anchors; a peer may send any number. */
const MAXIMUM_CERTIFICATES = 100;

/** Characters of a reason. */
const MAXIMUM_REASON = 1000;

/**
 * Validates synchronously what the job describes. Certificates, lists and responses that cannot be read are passed
 * over, except the end entity. Never throws for anything a peer or a file may hold.
 */
export function validatePath(job: ValidatePathJob): ValidatePathResult {
  let endEntity: Certificate;
  try {
    const [first] = job.certificates;
    if (first === undefined) return refused('no certificate to validate');
    endEntity = parseCertificate(first);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return refused(`the end-entity certificate cannot be read: ${error.message}`);
  }
  const search = {
    certificates: readable(distinct(job.certificates.slice(1, MAXIMUM_CERTIFICATES)), parseCertificate),
    trustAnchors: readable(job.trustAnchors, parseCertificate),
  };
  const evidence: RevocationEvidence = {
    revocationLists: readable<RevocationList>(job.revocationLists, parseRevocationList),
    ocspResponses: readable<OcspResponse>(job.ocspResponses, parseOcspResponse),
  };
  const deadEnds: DeadEnd[] = [];
  let problem: string | undefined;
  for (const path of candidatePaths(endEntity, search, deadEnds)) {
    const found = pathProblem(path, job.nowMs) ?? revocationOnPath(path, evidence, job);
    if (found === undefined) return { kind: 'validate-path', ok: true, path: path.map(({ der }) => der) };
    // The first path is the likeliest, so its problem is the one to report.
    problem ??= found;
  }
  const end = deadEnds.find(({ issuerFound }) => issuerFound) ?? deadEnds[0];
  return refused(problem ?? end?.reason ?? `${certificateTitle(endEntity)}: no path to a trust anchor`);
}

function refused(reason: string): ValidatePathResult {
  // Names are as long as a peer likes; messages are not.
  const line = reason.length > MAXIMUM_REASON ? `${reason.slice(0, MAXIMUM_REASON)}...` : reason;
  return { kind: 'validate-path', ok: false, reason: line };
}

/** From the authority next to the trust anchor down, so that no answer depends on a revoked authority. */
function revocationOnPath(
  path: readonly Certificate[],
  evidence: RevocationEvidence,
  job: ValidatePathJob,
): string | undefined {
  for (let index = path.length - 2; index >= 0; index--) {
    const certificate = path[index]!;
    const problem = revocationProblem(certificate, path[index + 1]!, evidence, job.revocation, job.nowMs);
    if (problem !== undefined) return `${certificateTitle(certificate)}: ${problem}`;
  }
  return undefined;
}

function distinct(all: readonly Uint8Array[]): Uint8Array[] {
  return all.filter((der, index) => all.findIndex((other) => equalOctets(other, der)) === index);
}

function readable<T>(all: readonly Uint8Array[], parse: (der: Uint8Array) => T): T[] {
  return all.flatMap((der) => {
    try {
      return [parse(der)];
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      return [];
    }
  });
}
