// From a task to the exchange that does it, and from an answer, or its absence, back to that exchange.
import { NotifyType, type Payload } from '#wire';
import { failure, holderOf, type IkeSaState } from '../ike-sa-state.ts';
import { endIkeSa, releaseReservation } from '../lifecycle.ts';
import type { Path } from '../mobility.ts';
import { findNotify } from '../payloads/notify.ts';
import type { Task, Work } from '../task.ts';
import { beginCreateChild, concludeCreateChild } from './create-child-sa/create-child-sa-initiator.ts';
import type { OutstandingRequest } from './exchange.ts';
import { handleEapResponse } from './ike-auth/eap-initiator.ts';
import { handleAuthResponse } from './ike-auth/ike-auth-initiator.ts';
import { beginTicketRequest, takeTicket } from './ike-session-resume/tickets.ts';
import {
  beginDeleteChild,
  beginDeleteIke,
  beginLivenessCheck,
  beginNotify,
  concludeDeleteChild,
} from './informational/informational.ts';
import { beginAnnouncement } from './mobike/announce-addresses.ts';
import { beginCheckPath, concludeCheckPath } from './mobike/check-path.ts';
import { lacksCookie2 } from './mobike/proof.ts';
import { beginUpdate, concludeUpdate, followAnswer, noteMappingAnswer } from './mobike/update-addresses.ts';
import { beginRekeyIke, concludeRekeyIke } from './rekey-ike-sa/rekey-ike-sa-initiator.ts';

/** Turns tasks into exchanges as long as the window has room (RFC 7296 2.3). */
export function beginTasks(state: IkeSaState): void {
  // RFC 6311: which Message ID comes next is being asked.
  if (state.synchronization !== undefined) return;
  while (state.requests.hasRoom()) {
    const task = state.tasks.take(state.at, (work) => mayBegin(state, work));
    if (task === undefined) return;
    begin(state, task);
  }
}

function mayBegin(state: IkeSaState, work: Work): boolean {
  const { name } = state.phase;
  // RFC 7296 2.8: the Delete is the last request on a replaced IKE SA. Beside a rekeying it would miss the successor.
  if (work.kind === 'delete-ike') return (name === 'established' || name === 'rekeyed') && !state.rekeying;
  if (name !== 'established' || state.collision !== undefined) return false;
  // What a colliding rekeying of the peer made may still lose.
  if (state.parent?.collision?.successor === state) return false;
  const outstanding = state.requests.all();
  // RFC 7296 2.25.1: a rekeying of the IKE SA beside other exchanges would only be put off.
  if (work.kind === 'rekey-ike' || work.kind === 'check-liveness') return outstanding.length === 0;
  return !state.rekeying;
}

function begin(state: IkeSaState, task: Task): void {
  const { work } = task;
  switch (work.kind) {
    case 'initiate-child':
    case 'rekey-child':
      beginCreateChild(state, task);
      return;
    case 'delete-child':
      beginDeleteChild(state, work);
      return;
    case 'rekey-ike':
      beginRekeyIke(state, task);
      return;
    case 'delete-ike':
      beginDeleteIke(state, work.failure);
      return;
    case 'send-notify':
      beginNotify(state, work.notify);
      return;
    case 'check-liveness':
      beginLivenessCheck(state);
      return;
    case 'update-addresses':
      beginUpdate(state);
      return;
    case 'check-path':
      beginCheckPath(state);
      return;
    case 'announce-addresses':
      beginAnnouncement(state);
      return;
    case 'request-ticket':
      beginTicketRequest(state, work.postponements);
      return;
  }
}

/** The answer to one of our protected requests. */
export function handleResponse(
  state: IkeSaState,
  request: OutstandingRequest,
  payloads: readonly Payload[],
  path: Path,
): void {
  const { exchange } = request;
  if (state.phase.name === 'established' && findNotify(payloads, NotifyType.INVALID_SYNTAX) !== undefined) {
    // RFC 7296 2.21.3: fatal for both ends.
    const detail = `the peer could not read our request ${request.messageId}`;
    endIkeSa(state, failure('invalid-syntax', detail, NotifyType.INVALID_SYNTAX), exchange);
    return;
  }
  if (lacksCookie2(exchange, payloads)) {
    endIkeSa(holderOf(state), failure('invalid-syntax', 'the answer lacks our COOKIE2'));
    return;
  }
  followAnswer(state, request, path);
  // RFC 7296 2.4: any protected answer proves that the peer lives, which is news once it seemed silent.
  if (exchange.kind === 'liveness' || (request.attempt > 0 && exchange.kind !== 'ike-auth')) {
    state.emit({ kind: 'liveness-confirmed', rttMs: state.at - request.firstSentAt });
  }
  switch (exchange.kind) {
    case 'notify':
    case 'announce-addresses':
      return;
    case 'liveness':
      noteMappingAnswer(state, payloads);
      return;
    case 'update-addresses':
      concludeUpdate(state, request, exchange, payloads, path);
      return;
    case 'check-path':
      concludeCheckPath(state, request, exchange);
      return;
    case 'ike-sa-init':
    case 'ike-session-resume':
      throw new Error('the first exchange is not answered under protection');
    case 'request-ticket':
      takeTicket(state, payloads, exchange.postponements);
      return;
    case 'ike-auth':
      if (state.phase.name === 'auth-sent') handleAuthResponse(state, state.phase, exchange, payloads);
      else if (state.phase.name === 'eap-peer') handleEapResponse(state, state.phase, exchange, payloads);
      else throw new Error('IKE_AUTH was answered in another phase');
      return;
    case 'create-child':
      concludeCreateChild(state, exchange, payloads);
      return;
    case 'rekey-ike':
      concludeRekeyIke(state, exchange, payloads);
      return;
    case 'delete-child':
      concludeDeleteChild(state, exchange);
      return;
    case 'delete-ike':
    case 'authentication-failed':
      endIkeSa(state, exchange.failure);
      return;
  }
}

/** All tries are spent. RFC 7296 2.4: the peer has failed, and with it everything that hangs on this IKE SA. */
export function handleNoAnswer(state: IkeSaState, request: OutstandingRequest): void {
  const { exchange } = request;
  if (state.phase.name === 'rekeyed') {
    // Nothing hangs on it any more, but the peer may still ask for the answer that made the new IKE SA.
    releaseReservation(state, exchange);
    state.requests.close(request.messageId);
    return;
  }
  switch (exchange.kind) {
    case 'ike-sa-init': {
      const refusal = state.phase.name === 'init-sent' ? state.phase.refusal : undefined;
      endIkeSa(state, refusal ?? failure('no-answer', 'nobody answered IKE_SA_INIT'));
      return;
    }
    case 'ike-session-resume':
      endIkeSa(state, failure('no-answer', 'nobody answered IKE_SESSION_RESUME'));
      return;
    case 'delete-ike':
    case 'authentication-failed':
      endIkeSa(state, exchange.failure);
      return;
    default:
      endIkeSa(state, failure('no-answer', `no answer to Message ID ${request.messageId}`));
      return;
  }
}
