// IKE_AUTH with EAP as its initiator: a gateway that has proven who it is hears who we are and that we know the password, and AUTH of
// both ends covers the key that came of it (RFC 7296 2.16, C.3).
import { equalConstantTime, wipe } from '#crypto';
import { AuthMethod, ExchangeType, NotifyType, type Payload } from '#wire';
import { makeSharedKeyAuth } from '../../authentication/auth-payload.ts';
import { identityOfAddress } from '../../authentication/identity-match.ts';
import { formatIdentity } from '../../authentication/identity-text.ts';
import { sharedKeyAuth } from '../../authentication/signed-octets.ts';
import type { Identity } from '../../configuration.ts';
import { EapPeer } from '../../eap/eap-peer.ts';
import { findEapSecret, userNameOf } from '../../eap/user-name.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { endIkeSa } from '../../lifecycle.ts';
import { sendRequest } from '../../messages/transmission.ts';
import { findErrorNotify, notify, notifyName } from '../../payloads/notify.ts';
import { payloadOf, payloadsOf } from '../../payloads/payload-lookup.ts';
import type { AuthenticationMaterial, EapPeering } from '../../phase.ts';
import { codeOfNotify } from '../create-child-sa/child-offer.ts';
import type { IkeAuthExchange } from '../exchange.ts';
import { ownOctets, peerOctets } from './own-authentication.ts';
import { believeResponder, releaseOffer } from './responder-believed.ts';

/** Who we are to IKE and to EAP, and the password; `undefined`: there is none. */
export interface EapCredentials {
  readonly identity: Identity;
  readonly user: Identity;
  readonly password: Uint8Array | undefined;
}

export function eapCredentials(state: IkeSaState): EapCredentials {
  const { local } = state.connection;
  const identity = local.identity ?? identityOfAddress(state.local.address);
  const user = local.eapIdentity ?? identity;
  return { identity, user, password: findEapSecret(state.ports.credentials(), user) };
}

/** The gateway has proven who it is, in an answer that has the first question. */
export function beginEapRounds(
  state: IkeSaState,
  exchange: IkeAuthExchange,
  peerIdentity: Identity,
  payloads: readonly Payload[],
  material: AuthenticationMaterial,
): void {
  const { identity, user, password } = eapCredentials(state);
  if (password === undefined) {
    giveUp(state, exchange, noPassword(user));
    return;
  }
  const { initRequest, initResponse, nonceInitiator, nonceResponder } = material;
  const phase: EapPeering = {
    name: 'eap-peer',
    initRequest,
    initResponse,
    nonceInitiator,
    nonceResponder,
    localIdentity: identity,
    peerIdentity,
    peer: new EapPeer({
      randomness: state.ports.randomness,
      userName: userNameOf(user),
      password,
    }),
    notifies: payloadsOf(payloads, 'N'),
  };
  state.phase = phase;
  continueEapRounds(state, phase, exchange, payloads);
}

export function noPassword(user: Identity): IkeFailure {
  return failure('no-credentials', `there is no EAP secret for ${formatIdentity(user)}`);
}

/** The answer to one of our messages. */
export function handleEapResponse(
  state: IkeSaState,
  phase: EapPeering,
  exchange: IkeAuthExchange,
  payloads: readonly Payload[],
): void {
  if (phase.sessionKey === undefined) continueEapRounds(state, phase, exchange, payloads);
  else concludeEapRounds(state, phase, phase.sessionKey, exchange, payloads);
}

function continueEapRounds(
  state: IkeSaState,
  phase: EapPeering,
  exchange: IkeAuthExchange,
  payloads: readonly Payload[],
): void {
  const payload = payloadOf(payloads, 'EAP');
  if (payload === undefined) {
    endByNotify(state, exchange, payloads);
    return;
  }
  const step = phase.peer.receive(payload.message);
  switch (step.kind) {
    case 'respond':
      sendRequest(state, ExchangeType.IKE_AUTH, { ...exchange, eap: 'method' }, [
        { type: 'EAP', message: step.message },
      ]);
      return;
    case 'success': {
      const { sessionKey } = step;
      state.phase = { ...phase, sessionKey };
      const octets = ownOctets(state, phase, phase.localIdentity);
      sendRequest(state, ExchangeType.IKE_AUTH, { ...exchange, eap: 'last' }, [
        makeSharedKeyAuth(state.secure().prf, sessionKey, octets),
      ]);
      return;
    }
    case 'failure': {
      const reason = failure('authentication-failed', `EAP: ${step.reason}`);
      if (!step.told) {
        giveUp(state, exchange, reason);
        return;
      }
      releaseOffer(state, exchange);
      endIkeSa(state, reason);
    }
  }
}

function concludeEapRounds(
  state: IkeSaState,
  phase: EapPeering,
  sessionKey: Uint8Array,
  exchange: IkeAuthExchange,
  payloads: readonly Payload[],
): void {
  const auth = payloadOf(payloads, 'AUTH');
  if (auth === undefined) {
    endByNotify(state, exchange, payloads);
    return;
  }
  const octets = peerOctets(state, phase, phase.peerIdentity);
  const expected = sharedKeyAuth(state.secure().prf, sessionKey, octets);
  if (auth.method !== AuthMethod.SHARED_KEY || !equalConstantTime(expected, auth.data)) {
    const detail = "EAP: the gateway's AUTH does not have the key that came of it";
    giveUp(state, exchange, failure('authentication-failed', detail));
    return;
  }
  wipe(sessionKey);
  believeResponder(state, exchange, phase.peerIdentity, [...phase.notifies, ...payloads], phase);
}

function endByNotify(state: IkeSaState, exchange: IkeAuthExchange, payloads: readonly Payload[]): void {
  const type = findErrorNotify(payloads)?.notifyType ?? NotifyType.INVALID_SYNTAX;
  releaseOffer(state, exchange);
  endIkeSa(state, failure(codeOfNotify(type), `EAP: the gateway sent ${notifyName(type)}`, type));
}

/** The gateway is told (RFC 7296 2.21.2), and not waited for: we are nobody to it yet. */
export function giveUp(state: IkeSaState, exchange: IkeAuthExchange, reason: IkeFailure): void {
  releaseOffer(state, exchange);
  // What is validated has no exchange any more that could be released again.
  if (state.phase.name === 'validating') state.phase = { name: 'deleting', failure: reason };
  sendRequest(state, ExchangeType.INFORMATIONAL, { kind: 'authentication-failed', failure: reason }, [
    notify(NotifyType.AUTHENTICATION_FAILED),
  ]);
  endIkeSa(state, reason);
}
