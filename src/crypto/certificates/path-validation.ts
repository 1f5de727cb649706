// Path validation (RFC 5280 6.1) of one chain that is already linked by names and signatures.
import { timeText } from '../asn1/time.ts';
import { type Certificate, certificateTitle } from './certificate.ts';
import type { NameConstraints } from './extensions.ts';
import { nameOutsideConstraints } from './name-constraints.ts';

/** Extended key usages an IKE end entity may have (RFC 4945 5.1.3.12), and those of the servers and clients of TLS. */
const ACCEPTED_PURPOSES: ReadonlySet<string> = new Set([
  '2.5.29.37.0', // anyExtendedKeyUsage
  '1.3.6.1.5.5.7.3.17', // id-kp-ipsecIKE
  '1.3.6.1.5.5.7.3.1', // id-kp-serverAuth
  '1.3.6.1.5.5.7.3.2', // id-kp-clientAuth
]);

/** RFC 8247 3.1.1 advises against less than 2048 bits but lets 1024 live; shorter ones have been factored. */
const MINIMUM_RSA_BITS = 1024;

interface State {
  /** Intermediates that may still follow, not counting self-issued ones. */
  pathLength: number;
  readonly constraints: { readonly authority: string; readonly constraints: NameConstraints }[];
}

/**
 * Why the chain is refused: the subject of the certificate at fault, then the reason. Undefined if it is valid.
 * Signatures and the names that link the chain are the builder's to check; revocation comes after.
 * @param path end entity first, trust anchor last; a single certificate is an end entity trusted by itself
 */
export function pathProblem(path: readonly Certificate[], nowMs: number): string | undefined {
  const state: State = { pathLength: Number.POSITIVE_INFINITY, constraints: [] };
  for (let index = path.length - 1; index >= 0; index--) {
    const certificate = path[index]!;
    const anchor = index === path.length - 1;
    const problem =
      validityProblem(certificate, nowMs) ??
      criticalProblem(certificate) ??
      keyProblem(certificate) ??
      (anchor ? undefined : constraintsProblem(certificate, index === 0, state)) ??
      (index === 0 ? endEntityProblem(certificate) : authorityProblem(certificate, anchor, state));
    if (problem !== undefined) return `${certificateTitle(certificate)}: ${problem}`;
  }
  return undefined;
}

export function isSelfIssued(certificate: Certificate): boolean {
  return certificate.subject.key === certificate.issuer.key;
}

function validityProblem(certificate: Certificate, nowMs: number): string | undefined {
  if (nowMs < certificate.notBeforeMs) return `not valid before ${timeText(certificate.notBeforeMs)}`;
  // The last second of the validity is within it (RFC 5280 4.1.2.5).
  if (nowMs >= certificate.notAfterMs + 1000) return `expired on ${timeText(certificate.notAfterMs)}`;
  return undefined;
}

function criticalProblem(certificate: Certificate): string | undefined {
  const [first] = certificate.unknownCriticalExtensions;
  return first === undefined ? undefined : `unknown critical extension ${first}`;
}

function keyProblem(certificate: Certificate): string | undefined {
  const { kind, bits } = certificate.publicKey;
  return kind === 'rsa' && bits < MINIMUM_RSA_BITS ? `its RSA key of ${bits} bits is too short` : undefined;
}

/** RFC 5280 6.1.3 (b) and (c): a self-issued intermediate is exempt, for it only changes its authority's key. */
function constraintsProblem(certificate: Certificate, last: boolean, state: State): string | undefined {
  if (!last && isSelfIssued(certificate)) return undefined;
  for (const { authority, constraints } of state.constraints) {
    const outside = nameOutsideConstraints(certificate, constraints);
    if (outside !== undefined) return `its ${outside} is outside of the name constraints of ${authority}`;
  }
  return undefined;
}

/** RFC 5280 6.1.4 (k) to (n), and what the certificate imposes on those below. */
function authorityProblem(certificate: Certificate, anchor: boolean, state: State): string | undefined {
  const { basicConstraints, keyUsage, nameConstraints } = certificate;
  // Before version 3 nothing could say it; whoever configured such an anchor did.
  const trusted = anchor && certificate.version < 3;
  if (basicConstraints?.ca !== true && !trusted) return 'not a certificate authority (basicConstraints)';
  if (keyUsage?.has('keyCertSign') === false)
    return 'may not sign certificates (keyUsage without keyCertSign)';
  if (!anchor && !isSelfIssued(certificate)) {
    if (state.pathLength === 0)
      return 'one intermediate too many for the path length of an authority above it';
    state.pathLength -= 1;
  }
  state.pathLength = Math.min(state.pathLength, basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY);
  if (nameConstraints !== undefined) {
    state.constraints.push({ authority: certificateTitle(certificate), constraints: nameConstraints });
  }
  return undefined;
}

function endEntityProblem(certificate: Certificate): string | undefined {
  const { keyUsage, extKeyUsage } = certificate;
  // RFC 4945 5.1.3.2: if key usage is there, one of these must be.
  if (keyUsage !== undefined && !keyUsage.has('digitalSignature') && !keyUsage.has('contentCommitment')) {
    return 'may not sign (keyUsage without digitalSignature)';
  }
  if (extKeyUsage !== undefined && !extKeyUsage.some((purpose) => ACCEPTED_PURPOSES.has(purpose))) {
    return `not for IKE (extended key usage ${extKeyUsage.join(', ')})`;
  }
  return undefined;
}
