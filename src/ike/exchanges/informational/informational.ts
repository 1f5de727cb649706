// INFORMATIONAL: liveness, Deletes of Child SAs and of the IKE SA, notifies (RFC 7296 1.4, 1.4.1, 2.4).
import type { SaProtocol, Spi } from '#sa';
import { CfgType, ExchangeType, type NotifyPayload, NotifyType, type Payload } from '#wire';
import { removeChild, useOutbound } from '../../child-sas/child-installation.ts';
import type { ChildSa } from '../../child-sas/child-sa.ts';
import { failure, holderOf, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { endIkeSa } from '../../lifecycle.ts';
import { type RequestOrigin, sendRequest, sendResponse } from '../../messages/transmission.ts';
import { makeConfigurationAck } from '../../payloads/configuration-payload.ts';
import { deleteChildSas, deleteIkeSa, requestedDeletes } from '../../payloads/delete.ts';
import { findNotify, notifyName } from '../../payloads/notify.ts';
import { payloadOf } from '../../payloads/payload-lookup.ts';
import type { Work } from '../../task.ts';
import type { DeleteChildExchange } from '../exchange.ts';
import { answerTicketRequest } from '../ike-session-resume/tickets.ts';
import { answerMobike } from '../mobike/answer-mobike.ts';
import { mappingQuestion } from '../mobike/update-addresses.ts';
import { handOver } from '../rekey-ike-sa/successor.ts';
import { reportNotifies } from './foreign-notifies.ts';
import { noteWindowSize } from './window-size.ts';

/**
 * What INVALID_IKE_SPI with four QCD tokens of 16 octets takes (RFC 6290 4.5): a peer that forgot the IKE SA can say so, and
 * prove it, without sending more than it received.
 */
const livenessBytesMin = 28 + 8 + 4 * (8 + 16);

/** Many more than answers can be under way: a peer may delete SPIs that it never had. */
const deletedAheadMax = 256;

/** An empty request (RFC 7296 2.4), padded, or one that also asks a NAT's mapping. */
export function beginLivenessCheck(state: IkeSaState): void {
  sendRequest(
    state,
    ExchangeType.INFORMATIONAL,
    { kind: 'liveness' },
    mappingQuestion(state),
    livenessBytesMin,
  );
}

export function beginNotify(state: IkeSaState, notify: NotifyPayload): void {
  sendRequest(state, ExchangeType.INFORMATIONAL, { kind: 'notify' }, [notify]);
}

export function beginDeleteIke(state: IkeSaState, reason: IkeFailure): void {
  state.phase = { name: 'deleting', failure: reason };
  sendRequest(state, ExchangeType.INFORMATIONAL, { kind: 'delete-ike', failure: reason }, [deleteIkeSa()]);
}

export function beginDeleteChild(
  state: IkeSaState,
  work: Extract<Work, { readonly kind: 'delete-child' }>,
): void {
  const { inboundSpi } = work;
  const child = state.children.find((candidate) => candidate.agreement.inboundSpi === inboundSpi);
  // Gone in the meantime, together with the peer's half.
  if (child === undefined && work.notInstalled === undefined) return;
  if (child !== undefined) child.phase = 'deleting';
  const exchange: DeleteChildExchange = { kind: 'delete-child', inboundSpi, child, failure: work.failure };
  sendRequest(state, ExchangeType.INFORMATIONAL, exchange, [deleteChildSas(work.protocol, [inboundSpi])]);
}

/** Whatever the answer holds: both halves are gone (RFC 7296 1.4.1). */
export function concludeDeleteChild(state: IkeSaState, exchange: DeleteChildExchange): void {
  if (exchange.child === undefined) state.ports.releaseSpi(exchange.inboundSpi);
  else removeChildAndSwitch(state, exchange.child, exchange.failure);
}

export function handleInformationalRequest(
  state: IkeSaState,
  origin: RequestOrigin,
  payloads: readonly Payload[],
): void {
  const fatal = fatalNotify(state, origin, payloads);
  if (fatal !== undefined) {
    sendResponse(state, origin, []);
    endIkeSa(state, fatal);
    return;
  }
  const deletes = requestedDeletes(payloads);
  if (deletes.ike) {
    sendResponse(state, origin, []);
    // RFC 7296 2.8.2: the peer did not see our rekeying; its own counts, and ours is forgotten.
    if (state.collision?.successor.ended === false) handOver(state, state.collision.successor);
    endIkeSa(state, endedByPeer(state));
    return;
  }
  noteWindowSize(state, payloads);
  reportNotifies(state, payloads);
  const moves = answerMobike(state, origin, payloads);
  const answers = deletes.children.length === 0 ? [] : deleteChildren(state, deletes.children);
  const set = payloadOf(payloads, 'CP')?.cfgType === CfgType.SET ? [makeConfigurationAck()] : [];
  sendResponse(state, origin, [...answers, ...set, ...answerTicketRequest(state, payloads), ...moves]);
}

/** RFC 7296 2.21.2: only these end an IKE SA without a Delete, and only right behind IKE_AUTH. */
function fatalNotify(
  state: IkeSaState,
  origin: RequestOrigin,
  payloads: readonly Payload[],
): IkeFailure | undefined {
  // One that a rekeying made has no first exchange, and its third request is like any other.
  const authenticatedHere = state.role === 'responder' && state.lowestNonce !== undefined;
  if (!authenticatedHere || origin.messageId !== 2) return undefined;
  for (const [type, code] of [
    [NotifyType.AUTHENTICATION_FAILED, 'peer-authentication-failed'],
    [NotifyType.INVALID_SYNTAX, 'invalid-syntax'],
    [NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, 'unsupported-critical-payload'],
  ] as const) {
    if (findNotify(payloads, type) !== undefined) {
      return failure(code, `the peer rejected our IKE_AUTH response with ${notifyName(type)}`, type);
    }
  }
  return undefined;
}

function endedByPeer(state: IkeSaState): IkeFailure {
  // We had our own reason first.
  if (state.phase.name === 'deleting') return state.phase.failure;
  if (state.successor !== undefined) return failure('replaced', 'a new IKE SA took over');
  return failure('deleted-by-peer', 'the peer deleted the IKE SA');
}

/** @returns the Delete payloads of the answer: the other half of each pair (RFC 7296 1.4.1) */
function deleteChildren(
  state: IkeSaState,
  requested: readonly { readonly protocol: SaProtocol; readonly spi: Spi }[],
): Payload[] {
  const holder = holderOf(state);
  const paired = new Map<SaProtocol, Spi[]>();
  // A peer may have a thousand of them, and name thousands.
  const byName = new Map(
    holder.children.map((child) => [`${child.agreement.protocol} ${child.agreement.outboundSpi}`, child]),
  );
  for (const { protocol, spi } of requested) {
    const child = byName.get(`${protocol} ${spi}`);
    if (
      child === undefined &&
      holder.deletedAhead.size < deletedAheadMax &&
      holder.requests.all().some(({ exchange }) => exchange.kind === 'create-child')
    ) {
      holder.deletedAhead.add(spi);
    }
    // RFC 7296 2.25.1: unknown, or being deleted from both ends at once: no Delete payload for it.
    if (child === undefined || child.phase === 'deleting') continue;
    const { childId, inboundSpi } = child.agreement;
    paired.set(protocol, [...(paired.get(protocol) ?? []), inboundSpi]);
    const replaced = holder.children.some((other) => other !== child && other.agreement.childId === childId);
    removeChildAndSwitch(
      holder,
      child,
      replaced
        ? failure('replaced', 'a rekeyed Child SA took over')
        : failure('deleted-by-peer', 'the peer deleted the Child SA'),
    );
  }
  return [...paired].map(([protocol, spis]) => deleteChildSas(protocol, spis));
}

/** Removes a pair; if our traffic used it, a sibling takes over (RFC 7296 2.8: the Delete of the old SA is the sign). */
export function removeChildAndSwitch(state: IkeSaState, child: ChildSa, reason: IkeFailure): void {
  const siblings = state.children.filter(
    (other) => other !== child && other.agreement.childId === child.agreement.childId,
  );
  const usable = siblings.filter((other) => other.phase === 'installed');
  // In a collision the peer deletes the old SA if the surviving one is its own (RFC 7296 2.8.1).
  const heir = usable.find((other) => other.replaces === child && !other.initiator) ?? usable.at(-1);
  if (heir !== undefined && !siblings.some((other) => other.outboundInUse)) useOutbound(state, heir);
  removeChild(state, child, reason);
}
