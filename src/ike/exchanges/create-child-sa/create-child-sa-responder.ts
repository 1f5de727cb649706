// CREATE_CHILD_SA as its responder: what the request is for, and the refusals of colliding exchanges (RFC 7296 1.3, 2.8, 2.25).
import { CryptoError, wipe } from '#crypto';
import { type NotifyPayload, NotifyType, type Payload } from '#wire';
import { installChild } from '../../child-sas/child-installation.ts';
import { type ChildSa, summaryOf } from '../../child-sas/child-sa.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import { endIkeSa } from '../../lifecycle.ts';
import { createChildSaPurpose } from '../../messages/exchange-rules.ts';
import { type RequestOrigin, sendResponse } from '../../messages/transmission.ts';
import { childOfNotify, findNotify, notify } from '../../payloads/notify.ts';
import { mandatoryPayload, payloadOf } from '../../payloads/payload-lookup.ts';
import { lowerNonce, nonceBytes } from '../nonces.ts';
import { handleRekeyIkeRequest } from '../rekey-ike-sa/rekey-ike-sa-responder.ts';
import { answerChild } from './child-answer.ts';
import { childKeys } from './child-keys.ts';
import { refuseRekeying } from './postponed-refusals.ts';

/** Child SAs of one IKE SA, and as many again while they are rekeyed: a peer may ask for any number (RFC 7296 1.3). */
const childrenMax = 1_024;

export function handleCreateChildSaRequest(
  state: IkeSaState,
  origin: RequestOrigin,
  payloads: readonly Payload[],
): void {
  const refuse = (payload: NotifyPayload): void => sendResponse(state, origin, [payload]);
  const temporary = (): void => refuse(notify(NotifyType.TEMPORARY_FAILURE));
  // RFC 7296 2.25.2: nothing new on an IKE SA that is being closed.
  if (state.phase.name !== 'established') {
    temporary();
    return;
  }
  const purpose = createChildSaPurpose(payloads);
  if (purpose === 'rekey-ike') {
    // RFC 7296 2.25.1
    if (changingChildren(state)) {
      temporary();
      return;
    }
    handleRekeyIkeRequest(state, origin, payloads);
    return;
  }
  // RFC 7296 2.25.2: which IKE SA would get it is not decided yet.
  if (state.rekeying || state.collision !== undefined) {
    temporary();
    return;
  }
  if (purpose === 'child') {
    create(state, origin, payloads, undefined);
    return;
  }

  const rekeyed = findNotify(payloads, NotifyType.REKEY_SA);
  const named = rekeyed === undefined ? undefined : childOfNotify(rekeyed);
  const old = state.children.find(
    ({ agreement }) => agreement.outboundSpi === named?.spi && agreement.protocol === named.protocol,
  );
  if (old === undefined) {
    refuse({
      type: 'N',
      protocolId: rekeyed?.protocolId ?? 0,
      spi: rekeyed?.spi ?? new Uint8Array(0),
      notifyType: NotifyType.CHILD_SA_NOT_FOUND,
      data: new Uint8Array(0),
    });
    return;
  }
  // RFC 7296 2.25.1: replaced already or on its way out.
  if (old.phase !== 'installed' || closing(state, old)) {
    refuseRekeying(state, origin, old);
    return;
  }
  create(state, origin, payloads, old);
}

/** Whether its Delete waits for room in the window. */
function closing(state: IkeSaState, child: ChildSa): boolean {
  const { inboundSpi } = child.agreement;
  return state.tasks.all().some(({ work }) => work.kind === 'delete-child' && work.inboundSpi === inboundSpi);
}

/** Whether we are creating, rekeying or closing a Child SA. */
function changingChildren(state: IkeSaState): boolean {
  return state.requests
    .all()
    .some(({ exchange }) => exchange.kind === 'create-child' || exchange.kind === 'delete-child');
}

function create(
  state: IkeSaState,
  origin: RequestOrigin,
  payloads: readonly Payload[],
  replaces: ChildSa | undefined,
): void {
  if (state.children.length >= (replaces === undefined ? childrenMax : 2 * childrenMax)) {
    const name = replaces?.agreement.configuration.name ?? state.connection.name;
    const reason = failure('no-additional-sas', `the peer has ${state.children.length} Child SAs already`);
    state.emit({ kind: 'child-failed', name, failure: reason });
    sendResponse(state, origin, [notify(NotifyType.NO_ADDITIONAL_SAS)]);
    return;
  }
  const answer = answerChild(state, payloads, {
    exchange: 'CREATE_CHILD_SA',
    ...(replaces !== undefined && { replaces }),
  });
  if (answer.kind === 'refused') {
    // INVALID_KE_PAYLOAD is a step of the negotiation, not its end.
    if (answer.notify.notifyType !== NotifyType.INVALID_KE_PAYLOAD) {
      const name = replaces?.agreement.configuration.name ?? state.connection.name;
      state.emit({ kind: 'child-failed', name, failure: answer.failure });
    }
    sendResponse(state, origin, [answer.notify]);
    return;
  }
  const { agreement } = answer;
  const { randomness } = state.ports;
  const exchanged = exchangeKeys(state, agreement.suite.ke, payloads);
  if (exchanged.kind === 'failed') {
    state.ports.releaseSpi(agreement.inboundSpi);
    // RFC 6989 2.5, RFC 7296 2.21.3
    sendResponse(state, origin, [notify(NotifyType.INVALID_SYNTAX)]);
    endIkeSa(state, failure('invalid-syntax', 'a public value fails the checks of its group'));
    return;
  }
  const nonceInitiator = mandatoryPayload(payloads, 'Nonce').data;
  const nonceResponder = randomness.bytes(nonceBytes);
  const keys = childKeys(state, agreement.suite, { nonceInitiator, nonceResponder }, exchanged.secret);
  wipe(exchanged.secret);
  // RFC 7296 2.8: ready to receive before the answer goes out; the old pair sends until the initiator is ready.
  const child = installChild(state, agreement, {
    keys,
    initiator: false,
    useOutbound: replaces === undefined,
    ...(replaces !== undefined && { replaces }),
  });
  if (replaces === undefined) state.emit({ kind: 'child-established', child: summaryOf(child) });
  else noteReplacement(state, replaces, child, lowerNonce(nonceInitiator, nonceResponder));
  sendResponse(state, origin, [
    ...answer.notifies,
    answer.sa,
    { type: 'Nonce', data: nonceResponder },
    ...exchanged.payloads,
    ...answer.selectors,
  ]);
}

function noteReplacement(state: IkeSaState, old: ChildSa, child: ChildSa, lowestNonce: Uint8Array): void {
  const colliding = state.requests
    .all()
    .some(({ exchange }) => exchange.kind === 'create-child' && exchange.replaces === old);
  // RFC 7296 2.8.1: which of both survives is known when our own exchange is answered.
  if (colliding) old.collision = { child, lowestNonce: lowestNonce.slice() };
  old.phase = 'replaced';
  old.rekeyAt = undefined;
  const { inboundSpi } = old.agreement;
  state.tasks.removeWhere((work) => work.kind === 'rekey-child' && work.inboundSpi === inboundSpi);
  state.emit({ kind: 'child-rekeyed', child: summaryOf(child), replaced: summaryOf(old) });
}

type KeyExchange =
  | { readonly kind: 'done'; readonly payloads: readonly Payload[]; readonly secret: Uint8Array | undefined }
  | { readonly kind: 'failed' };

function exchangeKeys(
  state: IkeSaState,
  group: number | undefined,
  payloads: readonly Payload[],
): KeyExchange {
  const ke = payloadOf(payloads, 'KE');
  if (group === undefined || ke === undefined) return { kind: 'done', payloads: [], secret: undefined };
  const keyPair = state.ports.randomness.keyPair(group);
  try {
    const secret = keyPair.agree(ke.data);
    return { kind: 'done', payloads: [{ type: 'KE', group, data: keyPair.publicValue }], secret };
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return { kind: 'failed' };
  } finally {
    keyPair.destroy();
  }
}
