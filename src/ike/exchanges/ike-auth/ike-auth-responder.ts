// IKE_AUTH as its responder: which connection the initiator means, whether to believe it, and the first Child SA (RFC 7296 1.2, 2.21.2).
import type { ValidatePathResult } from '#crypto';
import { NotifyType, type Payload } from '#wire';
import { identityOfAddress, sameIdentity } from '../../authentication/identity-match.ts';
import { formatIdentity } from '../../authentication/identity-text.ts';
import { installChild } from '../../child-sas/child-installation.ts';
import { summaryOf } from '../../child-sas/child-sa.ts';
import type { ConnectionConfiguration, Identity } from '../../configuration.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { endIkeSa, establish } from '../../lifecycle.ts';
import { type RequestOrigin, sendResponse } from '../../messages/transmission.ts';
import { suiteAllowed } from '../../negotiation/suite-allowed.ts';
import { makeConfigurationReply, parseConfigurationRequest } from '../../payloads/configuration-payload.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import { mandatoryPayload, payloadOf, payloadsOf } from '../../payloads/payload-lookup.ts';
import type { AuthenticationMaterial, HalfOpen, Validating } from '../../phase.ts';
import { answerChild } from '../create-child-sa/child-answer.ts';
import { childKeys } from '../create-child-sa/child-keys.ts';
import { answerTicketRequest, spendTicket } from '../ike-session-resume/tickets.ts';
import { foreignNotifies, reportNotifies } from '../informational/foreign-notifies.ts';
import { noteSyncAnnouncement, syncAnnouncement } from '../informational/message-id-sync.ts';
import { noteWindowSize, windowAnnouncement } from '../informational/window-size.ts';
import { idPayload, validationTimeoutMs } from './ike-auth-initiator.ts';
import { proveOurselves } from './own-authentication.ts';
import { judgePath, judgePeer, type PeerClaim, type PeerVerdict } from './peer-authentication.ts';

export function handleAuthRequest(
  state: IkeSaState,
  phase: HalfOpen,
  origin: RequestOrigin,
  payloads: readonly Payload[],
): void {
  if (payloadOf(payloads, 'AUTH') === undefined) {
    // RFC 7296 2.16: an initiator that leaves AUTH out wants EAP.
    refuse(state, origin, failure('authentication-failed', 'the initiator asks for EAP'));
    return;
  }
  const idi = mandatoryPayload(payloads, 'IDi');
  const idr = payloadOf(payloads, 'IDr');
  const peerIdentity: Identity = { idType: idi.idType, data: idi.data };
  const wanted = idr === undefined ? undefined : { idType: idr.idType, data: idr.data };
  const { resumption } = state;
  const connection = resumption === undefined ? connectionFor(state, peerIdentity, wanted) : state.connection;
  if (connection === undefined) {
    const asked = wanted === undefined ? '' : `, which asks for us as ${formatIdentity(wanted)}`;
    const detail = `no connection is for the peer's identity ${formatIdentity(peerIdentity)}${asked}`;
    refuse(state, origin, failure('identity-mismatch', detail));
    return;
  }
  state.connection = connection;
  const localIdentity =
    resumption === undefined
      ? (ownIdentity(state, connection) ?? wanted ?? identityOfAddress(state.local.address))
      : (wanted ?? resumption.localIdentity);
  const claim = { connection, localIdentity, peerIdentity };
  const verdict = judgeInitiator(state, phase, claim, payloads);
  if (verdict.kind !== 'validate') {
    conclude(state, phase, claim, origin, payloads, verdict);
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
    asker: { role: 'responder', origin },
  };
}

/** RFC 7296 2.15: AUTH covers the request as it was sent last; a cookie makes the difference. */
function judgeInitiator(
  state: IkeSaState,
  phase: HalfOpen,
  claim: PeerClaim,
  payloads: readonly Payload[],
): PeerVerdict {
  const verdict = judgePeer(state, phase, claim, payloads);
  const { otherInitRequest } = phase;
  if (verdict.kind !== 'refused' || otherInitRequest === undefined) return verdict;
  const other = judgePeer(state, { ...phase, initRequest: otherInitRequest }, claim, payloads);
  return other.kind === 'refused' ? verdict : other;
}

export function continueAsResponder(
  state: IkeSaState,
  phase: Validating,
  origin: RequestOrigin,
  result: ValidatePathResult,
): void {
  const verdict = judgePath(phase.claim.connection, result);
  conclude(state, phase, phase.claim, origin, phase.payloads, verdict);
}

/** IKE_SA_INIT chose by addresses; the identities may mean another connection, if it allows the suite in use. */
function connectionFor(
  state: IkeSaState,
  initiator: Identity,
  responder: Identity | undefined,
): ConnectionConfiguration | undefined {
  const identities = responder === undefined ? { initiator } : { initiator, responder };
  const { local, remote } = state;
  const { suite } = state.secure();
  return state.ports
    .connectionsFor({ local, remote, identities })
    .find((connection) => suiteAllowed(connection, suite) && weAre(state, connection, responder));
}

function weAre(
  state: IkeSaState,
  connection: ConnectionConfiguration,
  wanted: Identity | undefined,
): boolean {
  const own = ownIdentity(state, connection);
  return wanted === undefined || own === undefined || sameIdentity(own, wanted);
}

/** `undefined`: whatever the certificate says. */
function ownIdentity(state: IkeSaState, connection: ConnectionConfiguration): Identity | undefined {
  const { identity, method } = connection.local;
  return identity ?? (method === 'psk' ? identityOfAddress(state.local.address) : undefined);
}

function conclude(
  state: IkeSaState,
  material: AuthenticationMaterial,
  claim: PeerClaim,
  origin: RequestOrigin,
  payloads: readonly Payload[],
  verdict: PeerVerdict,
): void {
  if (verdict.kind === 'validate') throw new Error('a path was to be validated twice');
  if (verdict.kind === 'refused') {
    refuse(state, origin, verdict.failure);
    return;
  }
  const proof = proveOurselves(state, claim.connection, material, {
    identity: claim.peerIdentity,
    requests: payloadsOf(payloads, 'CERTREQ'),
  });
  if (proof.kind === 'impossible') {
    refuse(state, origin, proof.failure);
    return;
  }

  const resumed = state.resumption?.content;
  if (resumed !== undefined && !spendTicket(state, resumed)) {
    refuse(state, origin, failure('ticket-refused', 'the ticket was used in the meantime'));
    return;
  }
  state.clientMethod = resumed?.clientMethod ?? mandatoryPayload(payloads, 'AUTH').method;
  state.localIdentity = proof.identity;
  state.remoteIdentity = claim.peerIdentity;
  state.initialContact = findNotify(payloads, NotifyType.INITIAL_CONTACT) !== undefined;
  noteWindowSize(state, payloads);
  noteSyncAnnouncement(state, payloads);
  establish(state, material);
  reportNotifies(state, payloads);
  const configuration = giveConfiguration(state, claim, payloads);
  const child =
    configuration.kind === 'refused' ? [configuration.notify] : firstChild(state, material, payloads);
  sendResponse(state, origin, [
    idPayload('IDr', proof.identity),
    ...proof.certificates,
    proof.auth,
    ...foreignNotifies(state),
    ...answerTicketRequest(state, payloads),
    ...syncAnnouncement(state),
    ...(configuration.kind === 'given' ? [configuration.payload] : []),
    ...child,
    ...windowAnnouncement(state),
  ]);
}

type Configuration =
  | { readonly kind: 'none' }
  | { readonly kind: 'given'; readonly payload: Payload }
  | { readonly kind: 'refused'; readonly notify: Payload };

/** RFC 7296 2.19, 3.15.4 */
function giveConfiguration(state: IkeSaState, claim: PeerClaim, payloads: readonly Payload[]): Configuration {
  const { pools } = claim.connection;
  const payload = payloadOf(payloads, 'CP');
  const request = payload === undefined ? undefined : parseConfigurationRequest(payload);
  if (request === undefined || request.requested.length === 0) return { kind: 'none' };
  const lease =
    pools.length === 0
      ? undefined
      : state.ports.leaseAddresses({ pools, identity: claim.peerIdentity, requested: request.requested });
  if (lease === undefined) return { kind: 'refused', notify: notify(NotifyType.INTERNAL_ADDRESS_FAILURE) };
  state.lease = lease;
  state.peerVirtualAddresses = lease.addresses;
  return { kind: 'given', payload: makeConfigurationReply(lease) };
}

/** RFC 7296 2.21.2: a refusal travels beside our AUTH and leaves the IKE SA alone. */
function firstChild(
  state: IkeSaState,
  material: AuthenticationMaterial,
  payloads: readonly Payload[],
): Payload[] {
  // RFC 6023
  if (payloadOf(payloads, 'SA') === undefined) return [];
  const answer = answerChild(state, payloads, { exchange: 'IKE_AUTH' });
  if (answer.kind === 'refused') {
    state.emit({ kind: 'child-failed', name: state.connection.name, failure: answer.failure });
    return [answer.notify];
  }
  const keys = childKeys(state, answer.agreement.suite, material);
  const child = installChild(state, answer.agreement, { keys, initiator: false, useOutbound: true });
  state.emit({ kind: 'child-established', child: summaryOf(child) });
  return [...answer.notifies, answer.sa, ...answer.selectors];
}

function refuse(state: IkeSaState, origin: RequestOrigin, reason: IkeFailure): void {
  sendResponse(state, origin, [notify(NotifyType.AUTHENTICATION_FAILED)]);
  endIkeSa(state, reason);
}
