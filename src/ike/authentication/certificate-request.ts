// CERTREQ payloads, and which certificate and chain of ours answer one (RFC 7296 3.6, 3.7).
import type { PrivateKey } from '#crypto';
import type { CertPayload, CertreqPayload } from '#wire';
import type { Credentials, Identity, LocalAuthentication } from '../configuration.ts';

const todo = (): never => {
  throw new Error('not written yet');
};

/** One CERTREQ naming all trust anchors (DER); `undefined` if there are none. */
export function makeCertificateRequest(_authorities: readonly Uint8Array[]): CertreqPayload | undefined {
  return todo();
}

/** SHA-1 hashes of the keys of requested authorities; empty if the peer has no preference or asked for no X.509. */
export function requestedAuthorities(_requests: readonly CertreqPayload[]): Uint8Array[] {
  return todo();
}

/** The key we sign with and the CERT payloads that go with it: end entity first, then intermediates, no trust anchor. */
export interface ChosenCertificate {
  readonly identity: Identity;
  readonly key: PrivateKey;
  readonly certificates: readonly CertPayload[];
}

/**
 * Chooses among our certificates whose key we hold: one whose chain leads to a requested authority, else the first.
 * The identity is the configured one if the certificate confirms it, else (none configured) its subject.
 */
export function chooseCertificate(
  _local: LocalAuthentication,
  _credentials: Credentials,
  _requests: readonly CertreqPayload[],
): ChosenCertificate | undefined {
  return todo();
}
