// How we prove who we are: identity, certificates and AUTH (RFC 7296 2.15, RFC 7427).
import { AuthMethod, type AuthPayload, type CertPayload, type CertreqPayload } from '#wire';
import { makeSharedKeyAuth, makeSignatureAuth } from '../../authentication/auth-payload.ts';
import { chooseCertificate } from '../../authentication/certificate-request.ts';
import { identityOfAddress } from '../../authentication/identity-match.ts';
import { findSharedSecret } from '../../authentication/shared-secret.ts';
import { signedOctets } from '../../authentication/signed-octets.ts';
import type { ConnectionConfiguration, Identity } from '../../configuration.ts';
import { failure, type IkeRole, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import type { AuthenticationMaterial } from '../../phase.ts';

export type OwnAuthentication =
  | {
      readonly kind: 'ready';
      readonly identity: Identity;
      readonly certificates: readonly CertPayload[];
      readonly auth: AuthPayload;
    }
  | { readonly kind: 'impossible'; readonly failure: IkeFailure };

export function proveOurselves(
  state: IkeSaState,
  connection: ConnectionConfiguration,
  material: AuthenticationMaterial,
  peer: { readonly identity: Identity; readonly requests: readonly CertreqPayload[] },
): OwnAuthentication {
  const { resumption } = state;
  if (resumption !== undefined) {
    const identity = resumption.localIdentity;
    const data = resumedAuth(state, state.role, ownOctets(state, material, identity));
    return {
      kind: 'ready',
      identity,
      // RFC 5723 4.3.3: no CERT payload.
      certificates: [],
      auth: { type: 'AUTH', method: AuthMethod.SHARED_KEY, data },
    };
  }
  const { local } = connection;
  const credentials = state.ports.credentials();
  const impossible = (detail: string): OwnAuthentication => ({
    kind: 'impossible',
    failure: failure('no-credentials', detail),
  });
  // As initiator it is done otherwise; as responder it cannot be done.
  if (local.method === 'eap') return impossible('we authenticate by EAP, which only an initiator can');
  if (local.method === 'psk') {
    const identity = local.identity ?? identityOfAddress(state.local.address);
    const secret = findSharedSecret(credentials.sharedSecrets, identity, peer.identity);
    if (secret === undefined) return impossible('no pre-shared key fits both identities');
    const octets = ownOctets(state, material, identity);
    return {
      kind: 'ready',
      identity,
      certificates: [],
      auth: makeSharedKeyAuth(state.secure().prf, secret, octets),
    };
  }
  const chosen = chooseCertificate(local, credentials, peer.requests);
  if (chosen === undefined) return impossible('no certificate with a private key of ours suits');
  const auth = makeSignatureAuth(
    state.ports.randomness,
    chosen.key,
    state.peer.signatureHashes,
    ownOctets(state, material, chosen.identity),
  );
  if (auth === undefined) return impossible('our key can make no signature that the peer understands');
  const send =
    connection.sendCert === 'always' || (connection.sendCert === 'ifasked' && peer.requests.length > 0);
  return { kind: 'ready', identity: chosen.identity, certificates: send ? chosen.certificates : [], auth };
}

/** RFC 5723 4.3.3: AUTH = prf(SK_px, octets). @param signer whose AUTH it is */
export function resumedAuth(state: IkeSaState, signer: IkeRole, octets: Uint8Array): Uint8Array {
  const { prf, skPi, skPr } = state.secure();
  return prf.compute(signer === 'initiator' ? skPi : skPr, octets);
}

/** What our AUTH covers. */
export function ownOctets(
  state: IkeSaState,
  material: AuthenticationMaterial,
  identity: Identity,
): Uint8Array {
  const { prf, skPi, skPr } = state.secure();
  const initiator = state.role === 'initiator';
  return signedOctets({
    message: initiator ? material.initRequest : material.initResponse,
    nonce: initiator ? material.nonceResponder : material.nonceInitiator,
    prf,
    skP: initiator ? skPi : skPr,
    identity,
  });
}

/** What the peer's AUTH has to cover. */
export function peerOctets(
  state: IkeSaState,
  material: AuthenticationMaterial,
  identity: Identity,
): Uint8Array {
  const { prf, skPi, skPr } = state.secure();
  const initiator = state.role === 'initiator';
  return signedOctets({
    message: initiator ? material.initResponse : material.initRequest,
    nonce: initiator ? material.nonceInitiator : material.nonceResponder,
    prf,
    skP: initiator ? skPr : skPi,
    identity,
  });
}
