// IKE_AUTH with EAP as its responder: we prove who we are, EAP finds out who the initiator is, and AUTH of both ends covers the key that
// came of it (RFC 7296 2.16, C.3).
import { equalConstantTime, wipe } from '#crypto';
import { AuthMethod, NotifyType, type Payload, sameOctets } from '#wire';
import { makeSharedKeyAuth } from '../../authentication/auth-payload.ts';
import { sameIdentity } from '../../authentication/identity-match.ts';
import { formatIdentity } from '../../authentication/identity-text.ts';
import { sharedKeyAuth } from '../../authentication/signed-octets.ts';
import type { Identity } from '../../configuration.ts';
import {
  EapAuthenticator,
  type EapAuthenticatorOptions,
  type EapAuthenticatorStep,
  type EapRefusal,
  type PasswordLookup,
} from '../../eap/eap-authenticator.ts';
import { findEapSecret, takesUser, userNameOf } from '../../eap/user-name.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { endIkeSa } from '../../lifecycle.ts';
import { type RequestOrigin, sendResponse } from '../../messages/transmission.ts';
import { findNotify } from '../../payloads/notify.ts';
import { mandatoryPayload, payloadOf, payloadsOf } from '../../payloads/payload-lookup.ts';
import type { AuthenticationMaterial, EapAuthenticating, EapUser, HalfOpen } from '../../phase.ts';
import { credentialOf } from '../ike-session-resume/client-credential.ts';
import { isRefusedForNat } from '../mobike/agreement.ts';
import { eapClaimsOf } from './claims.ts';
import { idPayload } from './ike-auth-initiator.ts';
import { believeInitiator, refuseInitiator } from './initiator-believed.ts';
import { ownOctets, peerOctets, proveOurselves } from './own-authentication.ts';
import type { PeerClaim } from './peer-authentication.ts';

/** An IKE_AUTH request without AUTH. */
export function beginEap(
  state: IkeSaState,
  phase: HalfOpen,
  origin: RequestOrigin,
  payloads: readonly Payload[],
): void {
  const initiator = initiatorOf(payloads);
  // Who resumes an IKE SA proves that it has the ticket's secret, and nothing else will do (RFC 5723 4.3.3).
  const claims = state.resumption === undefined ? claimsIn(state, payloads) : [];
  if (claims.length === 0) {
    const detail = `the initiator asks for EAP, and no connection for ${formatIdentity(initiator)} has it`;
    refuseInitiator(state, origin, failure('authentication-failed', detail));
    return;
  }
  for (const claim of claims) {
    state.connection = claim.connection;
    const proof = proveOurselves(state, claim.connection, phase, {
      identity: initiator,
      requests: payloadsOf(payloads, 'CERTREQ'),
    });
    if (proof.kind === 'impossible') continue;
    if (isRefusedForNat(state, payloads, origin)) {
      const detail = 'there is a NAT on the way, and the initiator cannot do with one';
      const reason = failure('peer-notify', detail);
      refuseInitiator(state, origin, reason, NotifyType.UNEXPECTED_NAT_DETECTED);
      return;
    }
    const fellows = claims.filter((other) => other === claim || isAsWell(other, claim, proof.identity));
    const connections = fellows.map(({ connection }) => connection.name);
    const { eapIdentity } = claim.connection.remote;
    const authenticator = new EapAuthenticator({
      randomness: state.ports.randomness,
      askIdentity: eapIdentity !== undefined && eapIdentity.kind !== 'exact',
      ownName: userNameOf(proof.identity),
      passwordOf: (user) => admissionOf(state, { payloads, connections }, user),
      ...brakeOf(state, initiator),
    });
    state.phase = {
      name: 'eap-authenticator',
      initRequest: phase.initRequest,
      initResponse: phase.initResponse,
      nonceInitiator: phase.nonceInitiator,
      nonceResponder: phase.nonceResponder,
      ...(phase.otherInitRequest !== undefined && { otherInitRequest: phase.otherInitRequest }),
      expiresAt: phase.expiresAt,
      authenticator,
      payloads,
      identity: proof.identity,
      connections,
    };
    sendResponse(state, origin, [
      idPayload('IDr', proof.identity),
      ...proof.certificates,
      proof.auth,
      { type: 'EAP', message: authenticator.begin() },
    ]);
    return;
  }
  const detail = 'no certificate with a private key of ours suits, which EAP needs';
  refuseInitiator(state, origin, failure('no-credentials', detail));
}

/** @param machine what the initiator calls itself */
function brakeOf(
  { ports: { guesses } }: IkeSaState,
  machine: Identity,
): Pick<EapAuthenticatorOptions, 'admit' | 'right'> {
  if (guesses === undefined) return {};
  const secret = 'password';
  return {
    admit: (user) => guesses.admit({ user, machine, secret }),
    right: (user) => guesses.right({ user, machine, secret }),
  };
}

/** Whether we are the same to those who mean another connection. */
function isAsWell({ connection }: PeerClaim, proven: PeerClaim, ours: Identity): boolean {
  const { identity, certificates } = connection.local;
  if (identity !== undefined) return sameIdentity(identity, ours);
  // It is what the certificate says.
  const shown = proven.connection.local;
  return (
    shown.identity === undefined &&
    certificates.length === shown.certificates.length &&
    certificates.every((der, at) => sameOctets(der, shown.certificates[at]!))
  );
}

function initiatorOf(payloads: readonly Payload[]): Identity {
  const { idType, data } = mandatoryPayload(payloads, 'IDi');
  return { idType, data };
}

/** @param payloads of the first IKE_AUTH request */
function claimsIn(state: IkeSaState, payloads: readonly Payload[]): readonly PeerClaim[] {
  const idr = payloadOf(payloads, 'IDr');
  const wanted = idr === undefined ? undefined : { idType: idr.idType, data: idr.data };
  return eapClaimsOf(state, initiatorOf(payloads), wanted);
}

type Admission =
  | { readonly kind: 'password'; readonly password: Uint8Array; readonly claim: PeerClaim }
  | Extract<PasswordLookup, { readonly kind: 'none' }>;

/** As it is configured now: a user takes his time, in which he or his connection may be taken away. */
function admissionOf(
  state: IkeSaState,
  { payloads, connections }: Pick<EapAuthenticating, 'payloads' | 'connections'>,
  user: Identity,
): Admission {
  const password = findEapSecret(state.ports.credentials(), user);
  const claim = claimsIn(state, payloads).find(
    ({ connection: { name, remote } }) => connections.includes(name) && takesUser(remote, user),
  );
  if (claim === undefined) {
    return { kind: 'none', reason: `no connection takes the user ${formatIdentity(user)} (eap_id)` };
  }
  return password === undefined
    ? { kind: 'none', reason: `there is no EAP secret for ${formatIdentity(user)}` }
    : { kind: 'password', password, claim };
}

/** What EAP says, or after its success the initiator's AUTH. */
export function continueEap(
  state: IkeSaState,
  phase: EapAuthenticating,
  origin: RequestOrigin,
  payloads: readonly Payload[],
): void {
  if (phase.proven !== undefined) {
    concludeEap(state, phase, phase.proven, origin, payloads);
    return;
  }
  answerEap(state, phase, origin, phase.authenticator.receive(mandatoryPayload(payloads, 'EAP').message));
}

/** It is time to judge what had to wait. */
export function continueHeldEap(state: IkeSaState): void {
  const { phase } = state;
  if (phase.name !== 'eap-authenticator' || phase.held === undefined || phase.held.until > state.at) return;
  const { held, ...rest } = phase;
  state.phase = rest;
  answerEap(state, rest, held.origin, phase.authenticator.judgeHeld());
}

function answerEap(
  state: IkeSaState,
  phase: EapAuthenticating,
  origin: RequestOrigin,
  step: EapAuthenticatorStep,
): void {
  if (step.kind === 'wait') {
    state.phase = { ...phase, held: { origin, until: state.at + step.forMs } };
    return;
  }
  if (step.kind === 'success') {
    const { user, password, sessionKey } = step;
    state.phase = { ...phase, proven: { user, password, sessionKey } };
  }
  sendResponse(state, origin, [{ type: 'EAP', message: step.message }]);
  if (step.kind === 'failure') endIkeSa(state, eapFailure(step));
}

function eapFailure({ reason, unheard }: EapRefusal): IkeFailure {
  return failure(unheard ? 'too-many-tries' : 'authentication-failed', `EAP: ${reason}`);
}

function concludeEap(
  state: IkeSaState,
  phase: EapAuthenticating,
  { user, password, sessionKey }: EapUser,
  origin: RequestOrigin,
  payloads: readonly Payload[],
): void {
  const { method, data } = mandatoryPayload(payloads, 'AUTH');
  const admission = admissionOf(state, phase, user);
  if (admission.kind === 'none') {
    refuseInitiator(state, origin, failure('authentication-failed', `EAP: ${admission.reason}`));
    return;
  }
  if (!equalConstantTime(admission.password, password)) {
    const detail = `EAP: ${formatIdentity(user)} has another password by now`;
    refuseInitiator(state, origin, failure('authentication-failed', detail));
    return;
  }
  const { claim } = admission;
  state.connection = claim.connection;
  const { prf } = state.secure();
  const covers = (material: AuthenticationMaterial): boolean => {
    const expected = sharedKeyAuth(prf, sessionKey, peerOctets(state, material, claim.peerIdentity));
    return equalConstantTime(expected, data);
  };
  // RFC 7296 2.15: AUTH covers the request as it was sent last; a cookie makes the difference.
  const { otherInitRequest } = phase;
  const right =
    covers(phase) || (otherInitRequest !== undefined && covers({ ...phase, initRequest: otherInitRequest }));
  if (method !== AuthMethod.SHARED_KEY || !right) {
    const detail = `EAP: AUTH of ${formatIdentity(user)} does not have the key that came of it`;
    refuseInitiator(state, origin, failure('authentication-failed', detail));
    return;
  }
  const auth = makeSharedKeyAuth(prf, sessionKey, ownOctets(state, phase, phase.identity));
  wipe(sessionKey);
  state.remoteEapIdentity = user;
  believeInitiator(state, {
    claim,
    material: phase,
    origin,
    payloads: phase.payloads,
    method: AuthMethod.SHARED_KEY,
    credential: credentialOf(state.ports, claim.connection, {
      clientMethod: AuthMethod.SHARED_KEY,
      clientIdentity: claim.peerIdentity,
      clientEapIdentity: user,
      gatewayIdentity: phase.identity,
    }),
    identity: phase.identity,
    proof: [auth],
  });
}

/** INFORMATIONAL before IKE_AUTH is done: the initiator was refused, does not believe us, or has no more time (RFC 7296 2.21.2). */
export function handleGivenUp(
  state: IkeSaState,
  { authenticator }: EapAuthenticating,
  origin: RequestOrigin,
  payloads: readonly Payload[],
): void {
  sendResponse(state, origin, []);
  endIkeSa(state, whyGivenUp(authenticator.refusal, payloads));
}

function whyGivenUp(refusal: EapRefusal | undefined, payloads: readonly Payload[]): IkeFailure {
  if (refusal !== undefined) return eapFailure(refusal);
  const type = NotifyType.AUTHENTICATION_FAILED;
  return findNotify(payloads, type) === undefined
    ? failure('deleted-by-peer', 'the peer gave up before it was authenticated')
    : failure('peer-authentication-failed', 'the peer does not believe that we are who we say', type);
}
