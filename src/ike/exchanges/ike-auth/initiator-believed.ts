// IKE_AUTH as its responder, once the initiator is believed: the IKE SA stands, with addresses and the first Child SA (RFC 7296 1.2,
// 2.19, 2.21.2).
import { NotifyType, type Payload } from '#wire';
import { installChild } from '../../child-sas/child-installation.ts';
import { summaryOf } from '../../child-sas/child-sa.ts';
import type { Identity } from '../../configuration.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { endIkeSa, establish } from '../../lifecycle.ts';
import { type RequestOrigin, sendResponse } from '../../messages/transmission.ts';
import { makeConfigurationReply, parseConfigurationRequest } from '../../payloads/configuration-payload.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import { payloadOf } from '../../payloads/payload-lookup.ts';
import type { AuthenticationMaterial } from '../../phase.ts';
import { answerChild } from '../create-child-sa/child-answer.ts';
import { childKeys } from '../create-child-sa/child-keys.ts';
import { answerTicketRequest, spendTicket } from '../ike-session-resume/tickets.ts';
import { foreignNotifies, reportNotifies } from '../informational/foreign-notifies.ts';
import { noteSyncAnnouncement, syncAnnouncement } from '../informational/message-id-sync.ts';
import { noteWindowSize, windowAnnouncement } from '../informational/window-size.ts';
import { mobikeAnnouncement, noteMobike } from '../mobike/agreement.ts';
import type { PeerClaim } from './peer-authentication.ts';

/** An initiator that has proven who it is, and the answer to its last request. */
export interface BelievedInitiator {
  readonly claim: PeerClaim;
  readonly material: AuthenticationMaterial;
  readonly origin: RequestOrigin;
  /** Of its first IKE_AUTH request. */
  readonly payloads: readonly Payload[];
  /** Of its AUTH payload. */
  readonly method: number;
  /** A mark of what it was believed by. Absent: it gets no ticket. */
  readonly credential: Uint8Array | undefined;
  /** Who we are to it. */
  readonly identity: Identity;
  /** What our answer begins with. */
  readonly proof: readonly Payload[];
}

export function believeInitiator(
  state: IkeSaState,
  { claim, material, origin, payloads, method, credential, identity, proof }: BelievedInitiator,
): void {
  const resumed = state.resumption?.content;
  if (resumed !== undefined && !spendTicket(state, resumed)) {
    refuseInitiator(state, origin, failure('ticket-refused', 'the ticket was used in the meantime'));
    return;
  }
  state.clientMethod = resumed?.clientMethod ?? method;
  state.clientCredential = resumed?.credential ?? credential;
  state.remoteEapIdentity ??= resumed?.clientEapIdentity;
  state.localIdentity = identity;
  state.remoteIdentity = claim.peerIdentity;
  state.initialContact = findNotify(payloads, NotifyType.INITIAL_CONTACT) !== undefined;
  noteWindowSize(state, payloads);
  noteSyncAnnouncement(state, payloads);
  noteMobike(state, payloads);
  establish(state, material);
  reportNotifies(state, payloads);
  const configuration = giveConfiguration(state, claim, payloads);
  const child =
    configuration.kind === 'refused' ? [configuration.notify] : firstChild(state, material, payloads);
  sendResponse(state, origin, [
    ...proof,
    ...foreignNotifies(state),
    ...answerTicketRequest(state, payloads),
    ...syncAnnouncement(state),
    ...(configuration.kind === 'given' ? [configuration.payload] : []),
    ...child,
    ...mobikeAnnouncement(state),
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
      : state.ports.leaseAddresses({
          pools,
          identity: claim.peerIdentity,
          ...(state.remoteEapIdentity !== undefined && { user: state.remoteEapIdentity }),
          requested: request.requested,
        });
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

/** Answers IKE_AUTH with an error and forgets the initiator (RFC 7296 2.21.2). */
export function refuseInitiator(
  state: IkeSaState,
  origin: RequestOrigin,
  reason: IkeFailure,
  notifyType: number = NotifyType.AUTHENTICATION_FAILED,
): void {
  sendResponse(state, origin, [notify(notifyType)]);
  endIkeSa(state, reason);
}
