// Message ID synchronisation: whoever took an IKE SA over with state that may be old asks its peer where to go on (RFC 6311).
import { equalConstantTime } from '#crypto';
import {
  decodeMessageIdSync,
  ExchangeType,
  encodeMessageIdSync,
  type IkeMessage,
  type MessageIdSync,
  NotifyType,
  type Payload,
  unlessMalformed,
} from '#wire';
import { retransmitDelayMs } from '../../clocks/retransmission.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import { childBeingMade, endIkeSa, releaseReservation } from '../../lifecycle.ts';
import { ResponseWindow } from '../../messages/message-window.ts';
import { type RequestOrigin, sendUnnumbered } from '../../messages/transmission.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import { payloadOf } from '../../payloads/payload-lookup.ts';
import { openMessage } from '../../protection/sealed-message.ts';

const nonceBytes = 4;

/** More than any IKE SA has ever counted to: what is left has to be enough for its rekeying or its Delete (RFC 7296 2.2). */
const messageIdMax = 0x7fff_ffff;

/** RFC 6311 6.1: told in IKE_AUTH by either side. */
export function syncAnnouncement(state: IkeSaState): Payload[] {
  return state.connection.messageIdSync ? [notify(NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED)] : [];
}

/** Only what both sides announced is used. */
export function noteSyncAnnouncement(state: IkeSaState, payloads: readonly Payload[]): void {
  const announced = findNotify(payloads, NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED) !== undefined;
  state.peer.messageIdSync = announced && state.connection.messageIdSync === true;
}

/** @param skip how many requests of ours may have been sent that we do not know of */
export function beginSynchronization(state: IkeSaState, skip: number): void {
  if (!state.peer.messageIdSync || state.phase.name !== 'established') return;
  if (state.synchronization !== undefined) return;
  // RFC 6311 5.1: larger than any value known to have been used.
  send(state, state.requests.nextMessageId + skip, 0);
}

function send(state: IkeSaState, nextSent: number, attempt: number): void {
  const nonce = state.ports.randomness.bytes(nonceBytes);
  const nextReceived = state.responses.expected;
  const { retransmit } = state.connection;
  const delay = retransmitDelayMs(retransmit, attempt, state.ports.randomness);
  if (delay === undefined) {
    endIkeSa(state, failure('no-answer', 'no answer to the synchronisation of Message IDs'));
    return;
  }
  state.synchronization = { nonce, nextSent, nextReceived, attempt, nextAt: state.at + delay };
  sendUnnumbered(state, ExchangeType.INFORMATIONAL, false, [syncNotify({ nonce, nextSent, nextReceived })]);
}

/**
 * RFC 6311 5.1 has the peer drop a Message ID that it has seen, in a synchronisation too: each further try is a new request
 * with a higher one.
 */
export function retrySynchronization(state: IkeSaState): void {
  const { synchronization } = state;
  if (synchronization === undefined || synchronization.nextAt > state.at) return;
  send(state, synchronization.nextSent + 1, synchronization.attempt + 1);
}

function syncNotify(sync: MessageIdSync): Payload {
  return notify(NotifyType.IKEV2_MESSAGE_ID_SYNC, encodeMessageIdSync(sync));
}

/** The synchronisation in a message with Message ID 0, if it is an authentic one and holds nothing else. */
function synchronizationIn(state: IkeSaState, message: IkeMessage): MessageIdSync | undefined {
  const { header } = message;
  if (header.messageId !== 0 || header.exchangeType !== ExchangeType.INFORMATIONAL) return undefined;
  if (!state.peer.messageIdSync || payloadOf(message.payloads, 'SK') === undefined) return undefined;
  const opened = openMessage(message, state.secure().opener);
  if (opened.kind !== 'opened') return undefined;
  const found = findNotify(opened.payloads, NotifyType.IKEV2_MESSAGE_ID_SYNC);
  const extra = opened.payloads.some(
    (payload) => payload !== found && !(payload.type === 'N' && optional.includes(payload.notifyType)),
  );
  if (found === undefined || extra) return undefined;
  return unlessMalformed(() => decodeMessageIdSync(found.data));
}

function leavesSome({ nextSent, nextReceived }: MessageIdSync): boolean {
  return nextSent <= messageIdMax && nextReceived <= messageIdMax;
}

/** We did not say that we do this, but it may be there. */
const optional: readonly number[] = [NotifyType.IPSEC_REPLAY_COUNTER_SYNC];

/** The peer took its end over. False: the message is no synchronisation. */
export function receiveSyncRequest(
  state: IkeSaState,
  message: IkeMessage,
  path: Pick<RequestOrigin, 'local' | 'remote'>,
): boolean {
  if (state.phase.name !== 'established') return false;
  const sync = synchronizationIn(state, message);
  if (sync === undefined) return false;
  const { nextSent, nextReceived, nonce } = sync;
  // RFC 6311 5.1: a replay would make us forget what is under way.
  if (nextSent < state.responses.next || nextSent <= state.highestSyncedId) {
    state.reject('a synchronisation of Message IDs that is too old', ExchangeType.INFORMATIONAL, 0);
    return true;
  }
  if (!leavesSome(sync)) {
    state.reject('a synchronisation that would leave no Message IDs', ExchangeType.INFORMATIONAL, 0);
    return true;
  }
  state.highestSyncedId = nextSent;
  state.lastInboundAt = state.at;
  const ours = Math.max(nextReceived, state.requests.nextMessageId, state.synchronization?.nextSent ?? 0);
  moveOn(state, ours, nextSent);
  const reply = syncNotify({ nonce, nextSent: ours, nextReceived: nextSent });
  sendUnnumbered(state, ExchangeType.INFORMATIONAL, true, [reply], path);
  return true;
}

/** The answer to our own. False: the message is no synchronisation. */
export function receiveSyncResponse(state: IkeSaState, message: IkeMessage): boolean {
  const { synchronization } = state;
  if (synchronization === undefined) return false;
  const sync = synchronizationIn(state, message);
  if (sync === undefined) return false;
  const fits =
    equalConstantTime(sync.nonce, synchronization.nonce) &&
    sync.nextReceived >= synchronization.nextSent &&
    sync.nextSent >= synchronization.nextReceived &&
    leavesSome(sync);
  if (!fits) {
    state.reject('an answer to another synchronisation', ExchangeType.INFORMATIONAL, 0);
    return true;
  }
  state.lastInboundAt = state.at;
  state.synchronization = undefined;
  moveOn(state, sync.nextReceived, sync.nextSent);
  return true;
}

/** RFC 6311 9: nothing that was under way is waited for any more. */
function moveOn(state: IkeSaState, nextRequestId: number, expectedRequestId: number): void {
  const abandoned = state.requests.all();
  state.requests.skipTo(nextRequestId);
  state.responses = new ResponseWindow(
    Math.max(expectedRequestId, state.responses.expected),
    state.connection.windowSize,
  );
  state.reassemblies.clear();
  state.postponedRefusals = [];
  state.emit({
    kind: 'message-ids-synchronized',
    nextRequestId: state.requests.nextMessageId,
    expectedRequestId: state.responses.expected,
  });
  for (const { exchange } of abandoned) {
    switch (exchange.kind) {
      case 'delete-child':
        if (exchange.child === undefined) releaseReservation(state, exchange);
        else {
          const { protocol, inboundSpi } = exchange.child.agreement;
          const work = { kind: 'delete-child', protocol, inboundSpi, failure: exchange.failure } as const;
          state.tasks.add(work);
        }
        break;
      case 'request-ticket':
        state.tasks.add({ kind: 'request-ticket', postponements: exchange.postponements });
        break;
      case 'create-child':
      case 'rekey-ike': {
        // RFC 6311 8.3: whether the peer has made an SA that we have not is unknown; the whole IKE SA goes.
        releaseReservation(state, exchange);
        const lost = failure('temporary-failure', 'an exchange was lost when the peer was taken over');
        for (const name of childBeingMade(exchange))
          state.emit({ kind: 'child-failed', name, failure: lost });
        state.tasks.add({ kind: 'delete-ike', failure: lost });
        break;
      }
      default:
        break;
    }
  }
}
