// CERTREQ payloads, and which certificate and chain of ours answer one (RFC 7296 3.6, 3.7).
import {
  type Certificate,
  certificateMatchesIdentity,
  equalConstantTime,
  equalDistinguishedNames,
  type PrivateKey,
  parseCertificate,
  publicKeyHash,
} from '#crypto';
import { CertEncoding, type CertPayload, type CertreqPayload, IdType } from '#wire';
import type { Credentials, Identity, LocalAuthentication, RemoteAuthentication } from '../configuration.ts';

const hashBytes = 20;

/** Chains longer than this are not followed. */
const chainMax = 8;

/** Whether the peer may prove itself by a certificate, which it is asked for then. */
export function wantsCertificate({ method }: RemoteAuthentication): boolean {
  return method === 'pubkey' || method === 'any';
}

/** One CERTREQ naming all trust anchors (DER); `undefined` if there are none. */
export function makeCertificateRequest(authorities: readonly Uint8Array[]): CertreqPayload | undefined {
  if (authorities.length === 0) return undefined;
  const hashes = authorities.map((der) => publicKeyHash(parseCertificate(der).publicKey.spki));
  const octets = new Uint8Array(hashes.length * hashBytes);
  for (const [i, hash] of hashes.entries()) octets.set(hash, i * hashBytes);
  return { type: 'CERTREQ', encoding: CertEncoding.X509_SIGNATURE, authorities: octets };
}

/** SHA-1 hashes of the keys of requested authorities; empty if the peer has no preference or asked for no X.509. */
export function requestedAuthorities(requests: readonly CertreqPayload[]): Uint8Array[] {
  return requests.flatMap(({ encoding, authorities }) => {
    if (encoding !== CertEncoding.X509_SIGNATURE || authorities.length % hashBytes !== 0) return [];
    return Array.from({ length: authorities.length / hashBytes }, (_, i) =>
      authorities.subarray(i * hashBytes, (i + 1) * hashBytes),
    );
  });
}

/** The key we sign with and the CERT payloads that go with it: end entity first, then intermediates, no trust anchor. */
export interface ChosenCertificate {
  readonly identity: Identity;
  readonly key: PrivateKey;
  readonly certificates: readonly CertPayload[];
}

/**
 * Chooses among our certificates whose key we hold: one whose chain leads to a requested authority, else the first. With
 * a configured identity only certificates that confirm it come into question; without one it is the subject.
 */
export function chooseCertificate(
  local: LocalAuthentication,
  credentials: Credentials,
  requests: readonly CertreqPayload[],
): ChosenCertificate | undefined {
  const authorities = credentials.authorities.map(parseCertificate);
  const intermediates = credentials.certificates.map(parseCertificate);
  const requested = requestedAuthorities(requests);
  // Without configured certificates, any of ours that has a key will do.
  const own = local.certificates.length > 0 ? local.certificates.map(parseCertificate) : intermediates;
  const usable = own.flatMap((certificate) => {
    const key = credentials.privateKeys.find(({ publicKey }) =>
      equalConstantTime(publicKey.spki, certificate.publicKey.spki),
    );
    const { identity } = local;
    const confirmed = identity === undefined || certificateMatchesIdentity(certificate, identity);
    return key && confirmed
      ? [{ certificate, key, ...chainOf(certificate, intermediates, authorities) }]
      : [];
  });
  const wanted = usable.find(({ chain, anchor }) =>
    [...chain, ...anchor].some(({ publicKey }) => {
      const hash = publicKeyHash(publicKey.spki);
      return requested.some((other) => equalConstantTime(hash, other));
    }),
  );
  const chosen = wanted ?? usable[0];
  if (chosen === undefined) return undefined;
  const subject = { idType: IdType.DER_ASN1_DN, data: chosen.certificate.subject.der };
  return {
    identity: local.identity ?? subject,
    key: chosen.key,
    certificates: [chosen.certificate, ...chosen.chain].map(({ der }) => ({
      type: 'CERT',
      encoding: CertEncoding.X509_SIGNATURE,
      data: der,
    })),
  };
}

/** The intermediates from the issuer of `certificate` upwards, and the trust anchor they lead to (none or one). */
function chainOf(
  certificate: Certificate,
  intermediates: readonly Certificate[],
  authorities: readonly Certificate[],
): { readonly chain: readonly Certificate[]; readonly anchor: readonly Certificate[] } {
  const chain: Certificate[] = [];
  let last = certificate;
  while (chain.length < chainMax) {
    const issued = (by: Certificate): boolean =>
      by !== last && equalDistinguishedNames(by.subject.der, last.issuer.der);
    const anchor = authorities.find(issued);
    if (anchor !== undefined) return { chain, anchor: [anchor] };
    const next = intermediates.find((other) => issued(other) && !chain.includes(other));
    if (next === undefined) break;
    chain.push(next);
    last = next;
  }
  return { chain, anchor: [] };
}
