// CREATE_CHILD_SA for a Child SA, as its initiator: an additional one, or one that replaces another (RFC 7296 1.3.1, 1.3.3, 2.8).
import { CryptoError, type KeyPair, wipe } from '#crypto';
import { ExchangeType, NotifyType, type Payload } from '#wire';
import { installChild, removeChild, useOutbound } from '../../child-sas/child-installation.ts';
import { type ChildSa, summaryOf } from '../../child-sas/child-sa.ts';
import { retransmitBudgetMs } from '../../clocks/retransmission.ts';
import type { ChildConfiguration } from '../../configuration.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { sendRequest } from '../../messages/transmission.ts';
import { firstKeyExchangeGroup, groupFromInvalidKe } from '../../negotiation/key-exchange-group.ts';
import { notifyAboutChild } from '../../payloads/notify.ts';
import { payloadOf } from '../../payloads/payload-lookup.ts';
import type { Task } from '../../task.ts';
import type { CreateChildExchange } from '../exchange.ts';
import { abandonOffer } from '../ike-auth/responder-believed.ts';
import { compareNonces, lowerNonce, nonceBytes } from '../nonces.ts';
import { childKeys } from './child-keys.ts';
import { judgeAnswer, type OfferOptions, offerChild, offerPayloads } from './child-offer.ts';
import { childRekeyRetryMs, retryLater, retryWithGroup } from './refused-request.ts';

export function beginCreateChild(state: IkeSaState, task: Task): void {
  const { work } = task;
  if (work.kind === 'initiate-child') {
    const { acquired, group } = work;
    request(state, task, work.configuration, { exchange: 'CREATE_CHILD_SA', acquired }, group);
  } else if (work.kind === 'rekey-child') {
    const replaces = state.children.find((child) => child.agreement.inboundSpi === work.inboundSpi);
    // Replaced or deleted in the meantime, or being rekeyed already.
    if (replaces === undefined || replaces.phase !== 'installed' || beingRekeyed(state, replaces)) return;
    replaces.rekeyAt = undefined;
    const { configuration, suite } = replaces.agreement;
    const group = work.group ?? suite.ke;
    request(state, task, configuration, { exchange: 'CREATE_CHILD_SA', replaces }, group);
  }
}

function beingRekeyed(state: IkeSaState, child: ChildSa): boolean {
  return state.requests
    .all()
    .some(({ exchange }) => exchange.kind === 'create-child' && exchange.replaces === child);
}

/** RFC 7296 2.25: it cannot be asked to rekey what it does not have; that one pair replaces the other is known here alone. */
function unknownToPeer({ work }: Task): boolean {
  return work.kind === 'rekey-child' && work.unknownToPeer === true;
}

function request(
  state: IkeSaState,
  task: Task,
  configuration: ChildConfiguration,
  options: OfferOptions,
  wantedGroup: number | undefined,
): void {
  const { replaces } = options;
  const { randomness } = state.ports;
  const offer = offerChild(state, configuration, options);
  const group = wantedGroup ?? firstKeyExchangeGroup(configuration.proposals);
  const keyPair: KeyPair | undefined = group === undefined ? undefined : randomness.keyPair(group);
  const nonce = randomness.bytes(nonceBytes);
  const child = offerPayloads(offer);
  const payloads: Payload[] = [
    ...(replaces === undefined || unknownToPeer(task)
      ? []
      : [notifyAboutChild(NotifyType.REKEY_SA, replaces.agreement.protocol, replaces.agreement.inboundSpi)]),
    ...child.notifies,
    child.sa,
    { type: 'Nonce', data: nonce },
    ...(keyPair === undefined
      ? []
      : [{ type: 'KE', group: keyPair.group, data: keyPair.publicValue } as const]),
    ...child.selectors,
  ];
  const exchange: CreateChildExchange = {
    kind: 'create-child',
    task,
    offer,
    nonce,
    ...(keyPair !== undefined && { keyPair }),
    ...(replaces !== undefined && { replaces }),
  };
  sendRequest(state, ExchangeType.CREATE_CHILD_SA, exchange, payloads);
}

export function concludeCreateChild(
  state: IkeSaState,
  exchange: CreateChildExchange,
  payloads: readonly Payload[],
): void {
  const { offer, replaces } = exchange;
  const unwanted = state.unwantedChildren.delete(offer.childId);
  const overtaken = new Set(state.deletedAhead);
  forgetDeletedAhead(state);
  const verdict = judgeAnswer(state, offer, payloads);
  if (verdict.kind === 'refused') {
    state.ports.releaseSpi(offer.inboundSpi);
    exchange.keyPair?.destroy();
    refused(state, exchange, verdict.failure, verdict.notifyData);
    return;
  }
  const unacceptable = (reason: IkeFailure): void => {
    exchange.keyPair?.destroy();
    abandonOffer(state, offer, reason);
    failed(state, exchange, reason);
  };
  if (verdict.kind === 'unacceptable') {
    unacceptable(verdict.failure);
    return;
  }
  // A Delete overtook the answer.
  if (overtaken.has(verdict.agreement.outboundSpi)) {
    state.ports.releaseSpi(offer.inboundSpi);
    exchange.keyPair?.destroy();
    failed(
      state,
      exchange,
      failure('deleted-by-peer', 'the peer deleted the Child SA before its answer came'),
    );
    return;
  }
  const secret = agree(exchange, verdict.agreement.suite.ke, payloads);
  if (secret.kind === 'failed') {
    unacceptable(secret.failure);
    return;
  }
  exchange.keyPair?.destroy();
  const nonceResponder = payloadOf(payloads, 'Nonce')?.data;
  if (nonceResponder === undefined) {
    unacceptable(failure('invalid-syntax', 'the answer has no nonce'));
    return;
  }
  const nonces = { nonceInitiator: exchange.nonce, nonceResponder };
  const keys = childKeys(state, verdict.agreement.suite, nonces, secret.value);
  wipe(secret.value);
  // Its Delete may have overtaken the answer: then there is nothing left that this pair would take over from.
  const takesOver = replaces !== undefined && hasGeneration(state, offer.childId);
  const child = installChild(state, verdict.agreement, {
    keys,
    initiator: true,
    useOutbound: !takesOver,
    ...(takesOver && { replaces }),
  });
  if (!takesOver) state.emit({ kind: 'child-established', child: summaryOf(child) });
  else if (unknownToPeer(exchange.task)) succeedLost(state, child, replaces);
  else takeOver(state, child, replaces, lowerNonce(exchange.nonce, nonceResponder));
  if (unwanted) {
    const { inboundSpi, protocol } = child.agreement;
    const reason = failure('deleted-by-us', 'on request, while it was being made');
    state.tasks.add({ kind: 'delete-child', protocol, inboundSpi, failure: reason });
  }
}

function hasGeneration(state: IkeSaState, childId: number): boolean {
  return state.children.some(({ agreement }) => agreement.childId === childId);
}

/** What was deleted ahead of answers is of no use once none is awaited. */
function forgetDeletedAhead(state: IkeSaState): void {
  const waiting = state.requests.all().some(({ exchange }) => exchange.kind === 'create-child');
  if (!waiting) state.deletedAhead.clear();
}

type Secret =
  | { readonly kind: 'agreed'; readonly value: Uint8Array | undefined }
  | { readonly kind: 'failed'; readonly failure: IkeFailure };

function agree(
  exchange: CreateChildExchange,
  chosenGroup: number | undefined,
  payloads: readonly Payload[],
): Secret {
  const failed = (detail: string): Secret => ({
    kind: 'failed',
    failure: failure('invalid-ke-payload', detail),
  });
  if (chosenGroup === undefined) return { kind: 'agreed', value: undefined };
  const ke = payloadOf(payloads, 'KE');
  const { keyPair } = exchange;
  if (keyPair === undefined || ke?.group !== keyPair.group || chosenGroup !== keyPair.group) {
    return failed('the peer answered another key exchange method than we used');
  }
  try {
    return { kind: 'agreed', value: keyPair.agree(ke.data) };
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return failed(error.message);
  }
}

/** The new pair is there; the old one goes, unless the peer's own rekeying beat ours (RFC 7296 2.8.1). */
function takeOver(state: IkeSaState, child: ChildSa, old: ChildSa, lowestNonce: Uint8Array): void {
  const { collision } = old;
  old.collision = undefined;
  const replaced = failure('replaced', 'a rekeyed Child SA took over');
  const redundant = collision !== undefined && compareNonces(lowestNonce, collision.lowestNonce) < 0;
  if (collision !== undefined) {
    const outcome = redundant
      ? 'our exchange has the lowest nonce: its Child SA goes'
      : "the peer's exchange has the lowest nonce: the peer deletes its Child SA";
    state.emit({ kind: 'collision', of: 'child-rekey', outcome });
  }
  const { protocol } = child.agreement;
  if (redundant) {
    // Its traffic, if the peer sends any, is still accepted until the Delete is answered.
    child.phase = 'replaced';
    child.rekeyAt = undefined;
    const { inboundSpi } = child.agreement;
    state.tasks.add({ kind: 'delete-child', protocol, inboundSpi, failure: replaced });
    return;
  }
  old.phase = 'replaced';
  old.rekeyAt = undefined;
  if (collision !== undefined) {
    collision.child.phase = 'replaced';
    collision.child.rekeyAt = undefined;
  }
  useOutbound(state, child);
  state.emit({ kind: 'child-rekeyed', child: summaryOf(child), replaced: summaryOf(old) });
  if (state.children.includes(old)) {
    const { inboundSpi } = old.agreement;
    state.tasks.add({ kind: 'delete-child', protocol, inboundSpi, failure: replaced });
  }
}

/** The new pair is there, and nobody has to be told that the old one goes. */
function succeedLost(state: IkeSaState, child: ChildSa, lost: ChildSa): void {
  useOutbound(state, child);
  state.emit({ kind: 'child-rekeyed', child: summaryOf(child), replaced: summaryOf(lost) });
  removeChild(state, lost, failure('replaced', 'the peer had lost it, and another one was made'));
}

function refused(
  state: IkeSaState,
  exchange: CreateChildExchange,
  reason: IkeFailure,
  data: Uint8Array,
): void {
  const { task, replaces, offer } = exchange;
  const collision = replaces?.collision;
  if (replaces !== undefined) replaces.collision = undefined;
  switch (reason.notifyType) {
    case NotifyType.TEMPORARY_FAILURE:
      if (replaces === undefined || stands(state, replaces)) retryLater(state, task);
      return;
    case NotifyType.INVALID_KE_PAYLOAD: {
      const used = exchange.keyPair?.group ?? 0;
      const tried = [...task.triedGroups, used];
      const group = groupFromInvalidKe(data, offer.configuration.proposals, tried);
      if (group === undefined) {
        failed(state, exchange, reason);
        return;
      }
      retryWithGroup(state, task, group, used);
      return;
    }
    case NotifyType.CHILD_SA_NOT_FOUND:
      if (replaces === undefined || unknownToPeer(task)) {
        failed(state, exchange, reason);
        return;
      }
      if (answerUnderway(state, replaces)) {
        retryLater(state, task);
        return;
      }
      recreate(state, exchange, replaces, collision !== undefined);
      return;
    default:
      failed(state, exchange, reason);
      return;
  }
}

/** Whether there still is something to replace. */
function stands(state: IkeSaState, child: ChildSa): boolean {
  return child.phase === 'installed' && state.children.includes(child);
}

/** The peer cannot know a pair yet whose making we answered a moment ago: our request overtook the answer. */
function answerUnderway(state: IkeSaState, child: ChildSa): boolean {
  const budgetMs = retransmitBudgetMs(state.connection.retransmit);
  return !child.initiator && child.phase === 'installed' && state.at - child.installedAt < budgetMs;
}

/**
 * RFC 7296 2.25: the peer no longer has what we rekey: we begin from scratch, unless its own rekeying did that. Ours stays
 * until its successor stands: without its policy, traffic would leave unprotected in between.
 */
function recreate(
  state: IkeSaState,
  { keyPair }: CreateChildExchange,
  old: ChildSa,
  peerRekeyed: boolean,
): void {
  if (peerRekeyed || old.phase === 'replaced' || !state.children.includes(old)) {
    state.emit({
      kind: 'collision',
      of: 'child-rekey',
      outcome: 'the peer had already replaced the Child SA',
    });
    return;
  }
  state.emit({ kind: 'child-unknown-to-peer', child: summaryOf(old) });
  const { inboundSpi } = old.agreement;
  state.tasks.add({
    kind: 'rekey-child',
    inboundSpi,
    unknownToPeer: true,
    ...(keyPair !== undefined && { group: keyPair.group }),
  });
}

function failed(state: IkeSaState, { task, replaces, offer }: CreateChildExchange, reason: IkeFailure): void {
  state.emit({ kind: 'child-failed', name: offer.configuration.name, failure: reason });
  if (replaces?.phase !== 'installed') return;
  if (unknownToPeer(task)) {
    const detail = `the peer had lost it, and there is no other: ${reason.detail}`;
    removeChild(state, replaces, failure('child-sa-not-found', detail));
    return;
  }
  // The old SA lives on until its own end; there may be time for another try.
  const failures = replaces.rekeyFailures ?? 0;
  replaces.rekeyAt = state.at + childRekeyRetryMs(failures);
  replaces.rekeyFailures = failures + 1;
}
