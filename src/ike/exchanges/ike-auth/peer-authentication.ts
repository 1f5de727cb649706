// Whether to believe the peer: identity, AUTH, and the certificate path that a compute job validates (RFC 7296 2.15, 3.6).
import {
  type Certificate,
  CryptoError,
  certificateMatchesIdentity,
  equalConstantTime,
  parseCertificate,
  pseudorandomFunction,
  type ValidatePathJob,
  type ValidatePathResult,
} from '#crypto';
import { AuthMethod, CertEncoding, type Payload, sameOctets } from '#wire';
import { checkAuth } from '../../authentication/auth-payload.ts';
import { matchIdentity } from '../../authentication/identity-match.ts';
import { formatIdentity } from '../../authentication/identity-text.ts';
import { findSharedSecret } from '../../authentication/shared-secret.ts';
import { ourSignatureHashes } from '../../authentication/signature-hashes.ts';
import type { ConnectionConfiguration, Identity } from '../../configuration.ts';
import { failure, type IkeSaState, type Resumption } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { mandatoryPayload, payloadOf, payloadsOf } from '../../payloads/payload-lookup.ts';
import type { AuthenticationMaterial } from '../../phase.ts';
import { peerOctets, resumedAuth } from './own-authentication.ts';

export type PeerVerdict =
  | { readonly kind: 'believed' }
  | { readonly kind: 'refused'; readonly failure: IkeFailure }
  /** AUTH is right; whether its certificate may be trusted is not known yet. */
  | { readonly kind: 'validate'; readonly job: ValidatePathJob };

export interface PeerClaim {
  readonly connection: ConnectionConfiguration;
  readonly localIdentity: Identity;
  readonly peerIdentity: Identity;
}

export function judgePeer(
  state: IkeSaState,
  material: AuthenticationMaterial,
  claim: PeerClaim,
  payloads: readonly Payload[],
): PeerVerdict {
  const { connection, peerIdentity } = claim;
  const { resumption } = state;
  if (resumption !== undefined) return judgeResumedPeer(state, resumption, material, claim, payloads);
  const auth = mandatoryPayload(payloads, 'AUTH');
  if (matchIdentity(peerIdentity, connection.remote.identity) === 0) {
    return refuse(
      'identity-mismatch',
      `${formatIdentity(peerIdentity)} is not who ${connection.name} is for`,
    );
  }
  const shared = auth.method === AuthMethod.SHARED_KEY;
  if (connection.remote.method === 'eap') {
    return refuse('authentication-failed', `${connection.name} wants EAP, and the peer began without it`);
  }
  if (shared && connection.local.method === 'eap') {
    return refuse('authentication-failed', 'EAP needs a gateway that proves itself by a certificate');
  }
  if (connection.remote.method !== 'any' && (connection.remote.method === 'psk') !== shared) {
    return refuse('authentication-failed', `the peer used authentication method ${auth.method}`);
  }
  const octets = peerOctets(state, material, peerIdentity);
  return shared
    ? judgeSharedKey(state, claim, octets, payloads)
    : judgeSignature(state, claim, octets, payloads);
}

/** RFC 5723 4.3.3: the identities of the ticket, no certificate, and AUTH under the new SK_p. */
function judgeResumedPeer(
  state: IkeSaState,
  { localIdentity, remoteIdentity }: Resumption,
  material: AuthenticationMaterial,
  claim: PeerClaim,
  payloads: readonly Payload[],
): PeerVerdict {
  const { peerIdentity } = claim;
  if (!identical(peerIdentity, remoteIdentity) || !identical(claim.localIdentity, localIdentity)) {
    return refuse(
      'identity-mismatch',
      `${formatIdentity(peerIdentity)} to ${formatIdentity(claim.localIdentity)} is not who the ticket is for`,
    );
  }
  if (payloadOf(payloads, 'CERT') !== undefined) {
    return refuse('authentication-failed', 'a certificate where a ticket was presented');
  }
  const { method, data } = mandatoryPayload(payloads, 'AUTH');
  const signer = state.role === 'initiator' ? 'responder' : 'initiator';
  const expected = resumedAuth(state, signer, peerOctets(state, material, peerIdentity));
  if (method !== AuthMethod.SHARED_KEY || !equalConstantTime(expected, data)) {
    return refuse('authentication-failed', 'the peer does not hold the secret of the ticket');
  }
  return { kind: 'believed' };
}

function judgeSharedKey(
  state: IkeSaState,
  claim: PeerClaim,
  octets: Uint8Array,
  payloads: readonly Payload[],
): PeerVerdict {
  const { sharedSecrets } = state.ports.credentials();
  const secret = findSharedSecret(sharedSecrets, claim.localIdentity, claim.peerIdentity);
  if (secret === undefined) {
    return refuse('no-credentials', `no pre-shared key for ${formatIdentity(claim.peerIdentity)}`);
  }
  const prf = pseudorandomFunction(state.secure().suite.prf);
  const verdict = checkAuth(mandatoryPayload(payloads, 'AUTH'), {
    octets,
    sharedKey: { prf, secret },
    announcedHashes: ourSignatureHashes,
  });
  return verdict.ok ? { kind: 'believed' } : refuse('authentication-failed', verdict.reason);
}

function judgeSignature(
  state: IkeSaState,
  claim: PeerClaim,
  octets: Uint8Array,
  payloads: readonly Payload[],
): PeerVerdict {
  const { connection, peerIdentity } = claim;
  const credentials = state.ports.credentials();
  const sent = payloadsOf(payloads, 'CERT');
  const sentX509 = sent.filter((payload) => payload.encoding === CertEncoding.X509_SIGNATURE);
  // RFC 7296 3.6: the first certificate holds the key that verifies AUTH. Without any, one we know may fit.
  const known = [...connection.remote.certificates, ...credentials.certificates];
  const own = sentX509[0]?.data ?? known.find((der) => certificateOf(der, peerIdentity) !== undefined);
  const certificate = own === undefined ? undefined : certificateOf(own, peerIdentity);
  if (own === undefined || certificate === undefined) {
    return refuse('authentication-failed', `no certificate confirms ${formatIdentity(peerIdentity)}`);
  }
  const verdict = checkAuth(mandatoryPayload(payloads, 'AUTH'), {
    octets,
    publicKey: certificate.publicKey,
    announcedHashes: ourSignatureHashes,
  });
  if (!verdict.ok) return refuse('authentication-failed', verdict.reason);
  const { remote } = connection;
  if (remote.certificates.length > 0) {
    // A certificate that the operator named is trusted as it is.
    const named = remote.certificates.some((der) => sameOctets(der, own));
    return named
      ? { kind: 'believed' }
      : refuse('authentication-failed', 'the certificate is none of those configured');
  }
  return {
    kind: 'validate',
    job: {
      kind: 'validate-path',
      certificates: [own, ...sentX509.slice(1).map((payload) => payload.data), ...credentials.certificates],
      trustAnchors: [...credentials.authorities, ...remote.authorities],
      revocationLists: [
        ...credentials.revocationLists,
        ...sent.filter((payload) => payload.encoding === CertEncoding.CRL).map((payload) => payload.data),
      ],
      ocspResponses: sent
        .filter((payload) => payload.encoding === CertEncoding.OCSP)
        .map((payload) => payload.data),
      revocation: remote.revocation,
      nowMs: state.ports.wallClockMs(),
    },
  };
}

/** What the validated path means for this connection. */
export function judgePath(connection: ConnectionConfiguration, result: ValidatePathResult): PeerVerdict {
  if (!result.ok) return refuse('authentication-failed', result.reason);
  const { authorities } = connection.remote;
  const confined = authorities.length > 0;
  if (confined && !result.path.some((der) => authorities.some((wanted) => sameOctets(wanted, der)))) {
    return refuse('authentication-failed', 'the certificate path holds none of the configured authorities');
  }
  return { kind: 'believed' };
}

function certificateOf(der: Uint8Array, identity: Identity): Certificate | undefined {
  try {
    const certificate = parseCertificate(der);
    return certificateMatchesIdentity(certificate, identity) ? certificate : undefined;
  } catch (error) {
    if (error instanceof CryptoError) return undefined;
    throw error;
  }
}

/** RFC 5723 4.3.3: the very value of the ticket, not one that means the same. */
function identical(a: Identity, b: Identity): boolean {
  return a.idType === b.idType && sameOctets(a.data, b.data);
}

function refuse(code: IkeFailure['code'], detail: string): PeerVerdict {
  return { kind: 'refused', failure: failure(code, detail) };
}
