// Path building: from an end entity over unordered intermediates to trust anchors, within a budget.
import { equalOctets } from '../asn1/equal-octets.ts';
import { type Certificate, certificateTitle } from './certificate.ts';
import { signatureProblem } from './signature-algorithms.ts';

/** Certificates in a path, trust anchor and end entity included. */
const MAXIMUM_PATH = 10;
/** Signatures one search may verify: a peer that sends many look-alikes gets no more of our time. */
const MAXIMUM_SIGNATURES = 100;

export interface PathSearch {
  readonly certificates: readonly Certificate[];
  readonly trustAnchors: readonly Certificate[];
}

/** What the search met on its way and could not use. */
export interface DeadEnd {
  /** Subject, then reason. */
  readonly reason: string;
  /** An issuer was there but did not fit: worth more to people than a missing one. */
  readonly issuerFound: boolean;
}

/**
 * Yields every path whose names and signatures link up, end entity first, likely ones first.
 * @param deadEnds receives the reasons of branches that led nowhere
 */
export function* candidatePaths(
  endEntity: Certificate,
  search: PathSearch,
  deadEnds: DeadEnd[],
): Generator<readonly Certificate[]> {
  if (search.trustAnchors.some((anchor) => equalOctets(anchor.der, endEntity.der))) {
    yield [endEntity];
    return;
  }
  yield* extend([endEntity], search, deadEnds, { signatures: MAXIMUM_SIGNATURES });
}

function* extend(
  path: readonly Certificate[],
  search: PathSearch,
  deadEnds: DeadEnd[],
  budget: { signatures: number },
): Generator<readonly Certificate[]> {
  const last = path.at(-1)!;
  const dead = (reason: string, issuerFound: boolean): void => {
    deadEnds.push({ reason: `${certificateTitle(last)}: ${reason}`, issuerFound });
  };
  if (path.length === MAXIMUM_PATH) return dead(`no trust anchor within ${MAXIMUM_PATH} certificates`, true);
  let linked = false;
  for (const { issuer, anchor } of issuersOf(last, path, search)) {
    if (budget.signatures === 0) return dead('too many possible issuers', true);
    budget.signatures -= 1;
    const problem = signatureProblem(last.signed, issuer.publicKey);
    if (problem !== undefined) {
      dead(
        `its signature ${problem}${problem === 'does not verify' ? ` with the key of ${certificateTitle(issuer)}` : ''}`,
        true,
      );
      continue;
    }
    linked = true;
    if (anchor) yield [...path, issuer];
    else yield* extend([...path, issuer], search, deadEnds, budget);
  }
  if (!linked) dead(`no trusted issuer "${last.issuer.text}" found`, false);
}

function issuersOf(
  certificate: Certificate,
  path: readonly Certificate[],
  search: PathSearch,
): readonly { readonly issuer: Certificate; readonly anchor: boolean }[] {
  const wanted = certificate.issuer.key;
  const named = (pool: readonly Certificate[]): Certificate[] =>
    pool.filter(
      (candidate) =>
        candidate.subject.key === wanted && !path.some((member) => equalOctets(member.der, candidate.der)),
    );
  const anchors = named(search.trustAnchors).map((issuer) => ({ issuer, anchor: true }));
  const others = named(search.certificates).map((issuer) => ({ issuer, anchor: false }));
  // Key identifiers are hints, not proofs: those that differ are tried last.
  return [...anchors, ...others].sort(
    (a, b) => keyDistance(certificate, a.issuer) - keyDistance(certificate, b.issuer),
  );
}

function keyDistance(certificate: Certificate, issuer: Certificate): number {
  const [wanted, found] = [certificate.authorityKeyIdentifier, issuer.subjectKeyIdentifier];
  return wanted === undefined || found === undefined || equalOctets(wanted, found) ? 0 : 1;
}
