// IKE_AUTH as its initiator: who we are, the first Child SA, and whether to believe the answer (RFC 7296 1.2, 2.15, 2.19, 2.21.2).
import type { ValidatePathResult } from '#crypto';
import { ExchangeType, type IdPayload, NotifyType, type Payload } from '#wire';
import { makeCertificateRequest, wantsCertificate } from '../../authentication/certificate-request.ts';
import { identityOfAddress } from '../../authentication/identity-match.ts';
import type { Identity } from '../../configuration.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import { endIkeSa } from '../../lifecycle.ts';
import { sendRequest } from '../../messages/transmission.ts';
import { makeConfigurationRequest } from '../../payloads/configuration-payload.ts';
import { findErrorNotify, notify } from '../../payloads/notify.ts';
import { payloadOf, payloadsOf } from '../../payloads/payload-lookup.ts';
import type { AuthenticationMaterial, AuthSent, Validating } from '../../phase.ts';
import { authRefusalText } from '../../refusal-text.ts';
import { codeOfNotify, offerChild, offerPayloads } from '../create-child-sa/child-offer.ts';
import type { ChildOffer, IkeAuthExchange } from '../exchange.ts';
import { ticketRequest } from '../ike-session-resume/tickets.ts';
import { foreignNotifies } from '../informational/foreign-notifies.ts';
import { syncAnnouncement } from '../informational/message-id-sync.ts';
import { windowAnnouncement } from '../informational/window-size.ts';
import { mobikeAnnouncement } from '../mobike/agreement.ts';
import { beginEapRounds, eapCredentials, giveUp, noPassword } from './eap-initiator.ts';
import { type OwnAuthentication, proveOurselves } from './own-authentication.ts';
import { judgePath, judgePeer, type PeerVerdict } from './peer-authentication.ts';
import { believeResponder, rejectResponder, releaseOffer } from './responder-believed.ts';

/** How long a path validation may take before the IKE SA is given up. */
export const validationTimeoutMs = 60_000;

export function beginIkeAuth(
  state: IkeSaState,
  material: AuthenticationMaterial,
  initPayloads: readonly Payload[],
): void {
  const { connection, resumption } = state;
  const expected =
    resumption?.remoteIdentity ??
    (connection.remote.identity.kind === 'exact'
      ? connection.remote.identity.identity
      : identityOfAddress(state.remote.address));
  const eap = connection.local.method === 'eap' && resumption === undefined;
  const proof = eap
    ? withoutProof(state)
    : proveOurselves(state, connection, material, {
        identity: expected,
        requests: payloadsOf(initPayloads, 'CERTREQ'),
      });
  if (proof.kind === 'impossible') {
    endIkeSa(state, proof.failure);
    return;
  }
  const offer = firstOffer(state);
  const child = offer === undefined ? undefined : offerPayloads(offer);
  const payloads: Payload[] = [
    idPayload('IDi', proof.identity),
    ...proof.certificates,
    // RFC 7296 2.4: only in the first IKE_AUTH.
    ...(state.initialContact ? [notify(NotifyType.INITIAL_CONTACT)] : []),
    ...certificateRequest(state),
    ...(resumption !== undefined || connection.remote.identity.kind === 'exact'
      ? [idPayload('IDr', expected)]
      : []),
    ...(proof.auth === undefined ? [] : [proof.auth]),
    // RFC 6290 4.2: behind AUTH, before everything about a Child SA.
    ...foreignNotifies(state),
    ...ticketRequest(state),
    ...syncAnnouncement(state),
    ...(connection.virtualAddresses.length > 0
      ? [makeConfigurationRequest(state.formerAddresses ?? connection.virtualAddresses)]
      : []),
    ...(child === undefined ? [] : [...child.notifies, child.sa, ...child.selectors]),
    ...mobikeAnnouncement(state),
    ...windowAnnouncement(state),
  ];
  state.localIdentity = proof.identity;
  // Until the peer says so itself, initial contact is our own statement only.
  state.initialContact = false;
  state.phase = { name: 'auth-sent', ...material, localIdentity: proof.identity };
  const exchange: IkeAuthExchange = {
    kind: 'ike-auth',
    ...(eap && { eap: 'first' }),
    ...(offer !== undefined && { offer }),
  };
  sendRequest(state, ExchangeType.IKE_AUTH, exchange, payloads);
}

/** RFC 7296 2.16: EAP it shall be, says who leaves AUTH out. */
function withoutProof(state: IkeSaState): OwnAuthentication | Unproven {
  const { identity, user, password } = eapCredentials(state);
  if (password === undefined) return { kind: 'impossible', failure: noPassword(user) };
  return { kind: 'ready', identity, certificates: [], auth: undefined };
}

interface Unproven {
  readonly kind: 'ready';
  readonly identity: Identity;
  readonly certificates: readonly [];
  readonly auth: undefined;
}

/** RFC 6023: without a wish for a child, none is made if the responder can do without. */
function firstOffer(state: IkeSaState): ChildOffer | undefined {
  const [first, ...further] = state.wantedChildren;
  for (const configuration of further) state.tasks.add({ kind: 'initiate-child', configuration });
  const configuration = first ?? (state.peer.childless ? undefined : state.connection.children[0]);
  if (configuration === undefined) return undefined;
  return offerChild(state, configuration, { exchange: 'IKE_AUTH', acquired: state.acquired });
}

export function idPayload(type: IdPayload['type'], identity: Identity): IdPayload {
  return { type, idType: identity.idType, data: identity.data };
}

function certificateRequest(state: IkeSaState): Payload[] {
  const { connection } = state;
  if (state.resumption !== undefined) return [];
  if (!connection.sendCertreq || !wantsCertificate(connection.remote)) return [];
  const { authorities } = connection.remote;
  const request = makeCertificateRequest(
    authorities.length > 0 ? authorities : state.ports.credentials().authorities,
  );
  return request === undefined ? [] : [request];
}

export function handleAuthResponse(
  state: IkeSaState,
  phase: AuthSent,
  exchange: IkeAuthExchange,
  payloads: readonly Payload[],
): void {
  const idr = payloadOf(payloads, 'IDr');
  const unasked = exchange.eap !== undefined && payloadOf(payloads, 'EAP') === undefined;
  if (idr === undefined || payloadOf(payloads, 'AUTH') === undefined || unasked) {
    // The peer is not authenticated, but nobody else knows the keys of this exchange: it is its word (2.21.2).
    const error = findErrorNotify(payloads);
    const type = error?.notifyType;
    const detail =
      type === undefined
        ? 'the answer lacks IDr, AUTH or EAP'
        : authRefusalText(type, state.connection, phase.localIdentity);
    releaseOffer(state, exchange);
    endIkeSa(state, failure(codeOfNotify(type ?? NotifyType.INVALID_SYNTAX), detail, type));
    return;
  }
  const peerIdentity: Identity = { idType: idr.idType, data: idr.data };
  const { connection } = state;
  const claim = { connection, localIdentity: phase.localIdentity, peerIdentity };
  const verdict = judgePeer(state, phase, claim, payloads);
  if (verdict.kind !== 'validate') {
    conclude(state, exchange, peerIdentity, payloads, verdict);
    return;
  }
  const id = state.nextOutputId();
  state.outputs.push({ kind: 'compute', id, job: verdict.job });
  state.phase = {
    name: 'validating',
    initRequest: phase.initRequest,
    initResponse: phase.initResponse,
    nonceInitiator: phase.nonceInitiator,
    nonceResponder: phase.nonceResponder,
    computeId: id,
    payloads,
    claim,
    expiresAt: state.at + validationTimeoutMs,
    asker: { role: 'initiator', exchange },
  };
}

export function continueAsInitiator(
  state: IkeSaState,
  phase: Validating,
  exchange: IkeAuthExchange,
  result: ValidatePathResult,
): void {
  const verdict = judgePath(phase.claim.connection, result);
  conclude(state, exchange, phase.claim.peerIdentity, phase.payloads, verdict, phase);
}

function conclude(
  state: IkeSaState,
  exchange: IkeAuthExchange,
  peerIdentity: Identity,
  payloads: readonly Payload[],
  verdict: PeerVerdict,
  material: AuthenticationMaterial | undefined = state.phase.name === 'auth-sent' ? state.phase : undefined,
): void {
  if (material === undefined) throw new Error('IKE_AUTH was concluded in a phase without its nonces');
  if (verdict.kind === 'validate') throw new Error('a path was to be validated twice');
  if (verdict.kind === 'refused') {
    if (exchange.eap !== undefined) {
      giveUp(state, exchange, verdict.failure);
      return;
    }
    releaseOffer(state, exchange);
    rejectResponder(state, verdict.failure);
    return;
  }
  if (exchange.eap !== undefined) {
    beginEapRounds(state, exchange, peerIdentity, payloads, material);
    return;
  }
  believeResponder(state, exchange, peerIdentity, payloads, material);
}
