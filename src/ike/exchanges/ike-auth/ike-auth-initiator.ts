// IKE_AUTH as its initiator: who we are, the first Child SA, and whether to believe the answer (RFC 7296 1.2, 2.15, 2.19, 2.21.2).
import type { ValidatePathResult } from '#crypto';
import { isIpv6 } from '#sa';
import { ExchangeType, type IdPayload, NotifyType, type Payload } from '#wire';
import { makeCertificateRequest } from '../../authentication/certificate-request.ts';
import { identityOfAddress } from '../../authentication/identity-match.ts';
import { installChild } from '../../child-sas/child-installation.ts';
import { summaryOf } from '../../child-sas/child-sa.ts';
import type { Identity } from '../../configuration.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { endIkeSa, establish } from '../../lifecycle.ts';
import { sendRequest } from '../../messages/transmission.ts';
import { makeConfigurationRequest, parseConfigurationReply } from '../../payloads/configuration-payload.ts';
import { findErrorNotify, findNotify, notify } from '../../payloads/notify.ts';
import { payloadOf, payloadsOf } from '../../payloads/payload-lookup.ts';
import type { AuthenticationMaterial, AuthSent, Validating } from '../../phase.ts';
import { authRefusalText } from '../../refusal-text.ts';
import { childKeys } from '../create-child-sa/child-keys.ts';
import { codeOfNotify, judgeAnswer, offerChild, offerPayloads } from '../create-child-sa/child-offer.ts';
import type { ChildOffer, IkeAuthExchange } from '../exchange.ts';
import { takeTicket, ticketRequest } from '../ike-session-resume/tickets.ts';
import { foreignNotifies, reportNotifies } from '../informational/foreign-notifies.ts';
import { noteSyncAnnouncement, syncAnnouncement } from '../informational/message-id-sync.ts';
import { noteWindowSize, windowAnnouncement } from '../informational/window-size.ts';
import { mobikeAnnouncement, noteMobike } from '../mobike/agreement.ts';
import { proveOurselves } from './own-authentication.ts';
import { judgePath, judgePeer, type PeerVerdict } from './peer-authentication.ts';

/** More name servers than any resolver asks. */
const nameServersMax = 16;

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
  const proof = proveOurselves(state, connection, material, {
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
    proof.auth,
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
  const exchange: IkeAuthExchange = offer === undefined ? { kind: 'ike-auth' } : { kind: 'ike-auth', offer };
  sendRequest(state, ExchangeType.IKE_AUTH, exchange, payloads);
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
  if (!connection.sendCertreq || connection.remote.method === 'psk') return [];
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
  if (idr === undefined || payloadOf(payloads, 'AUTH') === undefined) {
    // The peer is not authenticated, but nobody else knows the keys of this exchange: it is its word (2.21.2).
    const error = findErrorNotify(payloads);
    const type = error?.notifyType;
    const detail =
      type === undefined
        ? 'the answer lacks IDr or AUTH'
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
    releaseOffer(state, exchange);
    rejectResponder(state, verdict.failure);
    return;
  }
  state.remoteIdentity = peerIdentity;
  state.initialContact = findNotify(payloads, NotifyType.INITIAL_CONTACT) !== undefined;
  noteWindowSize(state, payloads);
  noteSyncAnnouncement(state, payloads);
  noteMobike(state, payloads);
  establish(state, material);
  reportNotifies(state, payloads);
  takeConfiguration(state, payloads);
  takeTicket(state, payloads);
  if (exchange.offer !== undefined) concludeChild(state, exchange.offer, material, payloads);
}

/** RFC 7296 2.21.2: the one error that an initiator reports by an exchange of its own. */
function rejectResponder(state: IkeSaState, reason: IkeFailure): void {
  state.phase = { name: 'deleting', failure: reason };
  sendRequest(state, ExchangeType.INFORMATIONAL, { kind: 'authentication-failed', failure: reason }, [
    notify(NotifyType.AUTHENTICATION_FAILED),
  ]);
}

function releaseOffer(state: IkeSaState, exchange: IkeAuthExchange): void {
  if (exchange.offer !== undefined) state.ports.releaseSpi(exchange.offer.inboundSpi);
}

/** RFC 7296 2.19, 3.15 */
function takeConfiguration(state: IkeSaState, payloads: readonly Payload[]): void {
  const asked = state.connection.virtualAddresses;
  if (asked.length === 0) return;
  const payload = payloadOf(payloads, 'CP');
  const reply = payload === undefined ? undefined : parseConfigurationReply(payload);
  if (reply === undefined) return;
  // RFC 7296 3.15.1: no more than were asked for.
  const addresses = [false, true].flatMap((ipv6) =>
    reply.addresses
      .filter((given) => isIpv6(given) === ipv6)
      .slice(0, asked.filter((wanted) => isIpv6(wanted) === ipv6).length),
  );
  if (addresses.length === 0) return;
  state.virtualAddresses = addresses;
  state.emit({ kind: 'virtual-addresses', addresses, dns: reply.dns.slice(0, nameServersMax) });
}

/** RFC 7296 2.21.2: a refused child leaves the IKE SA as it is. */
function concludeChild(
  state: IkeSaState,
  offer: ChildOffer,
  material: AuthenticationMaterial,
  payloads: readonly Payload[],
): void {
  const { name } = offer.configuration;
  if (state.connection.virtualAddresses.length > 0 && state.virtualAddresses.length === 0) {
    const missing = failure('internal-address-failure', 'the peer gave us no virtual address');
    state.emit({ kind: 'child-failed', name, failure: missing });
    if (payloadOf(payloads, 'SA') === undefined) {
      state.ports.releaseSpi(offer.inboundSpi);
      return;
    }
    abandonOffer(state, offer, missing);
    return;
  }
  const verdict = judgeAnswer(state, offer, payloads);
  if (verdict.kind === 'agreed') {
    const keys = childKeys(state, verdict.agreement.suite, material);
    const child = installChild(state, verdict.agreement, { keys, initiator: true, useOutbound: true });
    state.emit({ kind: 'child-established', child: summaryOf(child) });
    return;
  }
  state.emit({ kind: 'child-failed', name, failure: verdict.failure });
  if (verdict.kind === 'refused') state.ports.releaseSpi(offer.inboundSpi);
  else abandonOffer(state, offer, verdict.failure);
}

/** The responder made an SA that we did not accept: it has to be told to remove it. */
export function abandonOffer(state: IkeSaState, offer: ChildOffer, reason: IkeFailure): void {
  state.tasks.add({
    kind: 'delete-child',
    protocol: offer.protocol,
    inboundSpi: offer.inboundSpi,
    failure: reason,
    notInstalled: true,
  });
}
