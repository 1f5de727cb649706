// CREATE_CHILD_SA that replaces the IKE SA, as its initiator (RFC 7296 1.3.2, 2.8, 2.8.2).
import { CryptoError } from '#crypto';
import { ExchangeType, ikeSpiBytes, NotifyType, type Payload } from '#wire';
import { failure, type IkeCollision, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { sendRequest } from '../../messages/transmission.ts';
import { firstKeyExchangeGroup, groupFromInvalidKe } from '../../negotiation/key-exchange-group.ts';
import { ikeSuiteFromReply, proposalsToWire } from '../../negotiation/proposals.ts';
import { findErrorNotify, notifyName } from '../../payloads/notify.ts';
import { payloadOf } from '../../payloads/payload-lookup.ts';
import type { Task } from '../../task.ts';
import { codeOfNotify } from '../create-child-sa/child-offer.ts';
import { rekeyRetryMs, retryLater, retryWithGroup } from '../create-child-sa/refused-request.ts';
import type { RekeyIkeExchange } from '../exchange.ts';
import { takeTicket, ticketRequestInRekey } from '../ike-session-resume/tickets.ts';
import { foreignNotifies, reportNotifies } from '../informational/foreign-notifies.ts';
import { noteWindowSize, windowAnnouncement } from '../informational/window-size.ts';
import { compareNonces, lowerNonce, nonceBytes } from '../nonces.ts';
import { proposedIkeSpi } from './ike-spi.ts';
import { awaitDelete, handOver, makeSuccessor } from './successor.ts';

export function beginRekeyIke(state: IkeSaState, task: Task): void {
  const wanted = task.work.kind === 'rekey-ike' ? task.work.group : undefined;
  const { ports, connection } = state;
  const group = wanted ?? state.secure().suite.ke ?? firstKeyExchangeGroup(connection.proposals);
  const spi = ports.allocateIkeSpi();
  const keyPair = ports.randomness.keyPair(group);
  const nonce = ports.randomness.bytes(nonceBytes);
  const proposals = proposalsToWire(connection.proposals, ikeSpiBytes(spi), 'CREATE_CHILD_SA');
  state.rekeyAt = undefined;
  const exchange: RekeyIkeExchange = { kind: 'rekey-ike', task, spi, proposals, nonce, keyPair };
  sendRequest(state, ExchangeType.CREATE_CHILD_SA, exchange, [
    { type: 'SA', proposals },
    { type: 'Nonce', data: nonce },
    { type: 'KE', group: keyPair.group, data: keyPair.publicValue },
    ...windowAnnouncement(state),
    ...ticketRequestInRekey(state),
  ]);
}

export function concludeRekeyIke(
  state: IkeSaState,
  exchange: RekeyIkeExchange,
  payloads: readonly Payload[],
): void {
  const error = findErrorNotify(payloads);
  if (error !== undefined) {
    exchange.keyPair.destroy();
    refused(state, exchange, error.notifyType, error.data);
    return;
  }
  const chosen = ikeSuiteFromReply(payloadOf(payloads, 'SA')?.proposals ?? [], exchange.proposals);
  const responderSpi = chosen === undefined ? undefined : proposedIkeSpi(chosen.peerSpi);
  const ke = payloadOf(payloads, 'KE');
  const nonceResponder = payloadOf(payloads, 'Nonce')?.data;
  const { keyPair } = exchange;
  if (chosen === undefined || responderSpi === undefined || nonceResponder === undefined) {
    keyPair.destroy();
    failed(state, failure('no-proposal-chosen', 'the peer chose a proposal that we did not make'));
    return;
  }
  if (chosen.suite.ke !== keyPair.group || ke?.group !== keyPair.group) {
    keyPair.destroy();
    failed(state, failure('invalid-ke-payload', 'the peer answered another key exchange method'));
    return;
  }
  let sharedSecret: Uint8Array;
  try {
    sharedSecret = keyPair.agree(ke.data);
  } catch (thrown) {
    if (!(thrown instanceof CryptoError)) throw thrown;
    failed(state, failure('invalid-ke-payload', thrown.message));
    return;
  } finally {
    keyPair.destroy();
  }
  const successor = makeSuccessor(state, {
    role: 'initiator',
    spis: { initiator: exchange.spi, responder: responderSpi },
    suite: chosen.suite,
    nonceInitiator: exchange.nonce,
    nonceResponder,
    sharedSecret,
  });
  noteWindowSize(successor, payloads);
  reportNotifies(successor, payloads);
  takeTicket(successor, payloads);
  // RFC 6290 4.3: the initiator of a rekeying has to wait for the responder's SPI.
  for (const notify of foreignNotifies(successor)) successor.tasks.add({ kind: 'send-notify', notify });
  const replaced = failure('replaced', 'a new IKE SA took over');
  if (state.successor !== undefined) {
    // The peer uses what its own exchange made already.
    successor.tasks.add({ kind: 'delete-ike', failure: replaced });
    return;
  }
  const collision = liveCollision(state);
  const lowest = lowerNonce(exchange.nonce, nonceResponder);
  if (collision !== undefined && compareNonces(lowest, collision.lowestNonce) < 0) {
    // RFC 7296 2.8.2: our exchange holds the lowest nonce. We delete what it made; the peer deletes the old IKE SA.
    const outcome = 'our exchange has the lowest nonce: its IKE SA goes';
    state.emit({ kind: 'collision', of: 'ike-rekey', outcome });
    successor.tasks.add({ kind: 'delete-ike', failure: replaced });
    handOver(state, collision.successor);
    return;
  }
  if (collision !== undefined) {
    const outcome = "the peer's exchange has the lowest nonce: the peer deletes its IKE SA";
    state.emit({ kind: 'collision', of: 'ike-rekey', outcome });
    collision.successor.at = state.at;
    awaitDelete(collision.successor);
  }
  handOver(state, successor);
  state.tasks.add({ kind: 'delete-ike', failure: replaced });
}

function refused(state: IkeSaState, exchange: RekeyIkeExchange, notifyType: number, data: Uint8Array): void {
  if (state.successor !== undefined) return;
  const collision = liveCollision(state);
  if (collision !== undefined) {
    // RFC 7296 2.8.2: the peer had finished its own rekeying before it saw ours.
    const outcome = 'the peer had already replaced the IKE SA';
    state.emit({ kind: 'collision', of: 'ike-rekey', outcome });
    handOver(state, collision.successor);
    return;
  }
  if (notifyType === NotifyType.TEMPORARY_FAILURE) {
    retryLater(state, exchange.task);
    return;
  }
  if (notifyType === NotifyType.INVALID_KE_PAYLOAD) {
    const used = exchange.keyPair.group;
    const tried = [...exchange.task.triedGroups, used];
    const group = groupFromInvalidKe(data, state.connection.proposals, tried);
    if (group !== undefined) {
      retryWithGroup(state, exchange.task, group, used);
      return;
    }
  }
  const detail = `the peer sent ${notifyName(notifyType)}`;
  failed(state, failure(codeOfNotify(notifyType), detail, notifyType));
}

function failed(state: IkeSaState, reason: IkeFailure): void {
  if (state.successor !== undefined) return;
  state.emit({ kind: 'ike-rekey-failed', failure: reason });
  const collision = liveCollision(state);
  if (collision !== undefined) {
    handOver(state, collision.successor);
    return;
  }
  state.rekeyAt = state.at + rekeyRetryMs;
}

/** The peer may have deleted what its exchange made before our own was answered. */
function liveCollision(state: IkeSaState): IkeCollision | undefined {
  if (state.collision?.successor.ended) state.collision = undefined;
  return state.collision;
}
