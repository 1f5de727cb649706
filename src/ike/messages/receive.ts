// A datagram comes in: is it ours, is it fresh, is it authentic, what is it for (RFC 7296 2.1 to 2.3, 2.5, 2.21, 2.23).
import {
  decodeIkeMessage,
  ExchangeType,
  type IkeMessage,
  NotifyType,
  type Payload,
  sameOctets,
  WireError,
} from '#wire';
import { moveChildren } from '../child-sas/child-installation.ts';
import { measureFirstAnswer, measureRequest } from '../clocks/round-trip.ts';
import { handleCreateChildSaRequest } from '../exchanges/create-child-sa/create-child-sa-responder.ts';
import { handleResponse } from '../exchanges/dispatch.ts';
import type { EapStage } from '../exchanges/exchange.ts';
import { continueEap, handleGivenUp } from '../exchanges/ike-auth/eap-responder.ts';
import { handleAuthRequest } from '../exchanges/ike-auth/ike-auth-responder.ts';
import { sameButForCookie } from '../exchanges/ike-sa-init/first-request.ts';
import { handleInitResponse, noteOtherAnswer } from '../exchanges/ike-sa-init/ike-sa-init-initiator.ts';
import { handleResumeResponse } from '../exchanges/ike-session-resume/ike-session-resume-initiator.ts';
import { handleInformationalRequest } from '../exchanges/informational/informational.ts';
import { receiveSyncRequest, receiveSyncResponse } from '../exchanges/informational/message-id-sync.ts';
import { sendAgainThere } from '../exchanges/mobike/send-again.ts';
import { noteUse } from '../exchanges/rekey-ike-sa/successor.ts';
import { failure, type IkeSaState } from '../ike-sa-state.ts';
import { endIkeSa } from '../lifecycle.ts';
import type { Path } from '../mobility.ts';
import { requestedDeletes } from '../payloads/delete.ts';
import { notify } from '../payloads/notify.ts';
import { payloadOf } from '../payloads/payload-lookup.ts';
import { isHalfOpen } from '../phase.ts';
import {
  defaultReassemblyLimits,
  Reassembly,
  unauthenticatedReassemblyLimits,
} from '../protection/reassembly.ts';
import { openMessage } from '../protection/sealed-message.ts';
import { checkPayloads, createChildSaPurpose, type MessageKind } from './exchange-rules.ts';
import { type RequestOrigin, sendResponse, transmit } from './transmission.ts';

/**
 * How often a first request that is repeated gets its answer again, more than anybody who waits for it needs: its source is
 * not proven, and the answer may be the longer one.
 */
const firstAnswersAgainMax = 16;

/** The same for later requests of somebody who is nobody yet, from elsewhere: the answer may have our certificates. */
const answersElsewhereAgainMax = 3;

/** Fragments of this many messages are collected at once (RFC 7383 2.6). */
const reassembliesMax = 4;

export function receive(state: IkeSaState, octets: Uint8Array, path: Path): void {
  state.statistics.messagesReceived++;
  let message: IkeMessage;
  try {
    message = decodeIkeMessage(octets);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    state.reject(`unreadable: ${error.message}`, 0, 0);
    return;
  }
  const { header } = message;
  const reject = (reason: string): void => state.reject(reason, header.exchangeType, header.messageId);
  // RFC 7296 2.5: nothing of another major version belongs to this IKE SA.
  if (header.majorVersion !== 2) {
    reject(`major version ${header.majorVersion}`);
    return;
  }
  if (header.initiatorSpi !== state.spis.initiator) {
    reject('another IKE SA');
    return;
  }
  if (header.initiator !== (state.role === 'responder')) {
    reject('the initiator flag is wrong');
    return;
  }
  const { exchangeType } = header;
  if (exchangeType === ExchangeType.IKE_SA_INIT || exchangeType === ExchangeType.IKE_SESSION_RESUME) {
    receiveInit(state, message, path);
    return;
  }
  if (header.responderSpi !== state.spis.responder) {
    reject('another IKE SA');
    return;
  }
  if (state.protection === undefined) {
    reject('there are no keys yet');
    return;
  }
  if (header.response) {
    receiveResponse(state, message, path);
    return;
  }
  receiveRequest(state, message, path);
}

function receiveInit(state: IkeSaState, message: IkeMessage, path: Path): void {
  const { header } = message;
  const reject = (reason: string): void => state.reject(reason, header.exchangeType, header.messageId);
  if (header.messageId !== 0) {
    reject('a first exchange with a Message ID');
    return;
  }
  const { phase } = state;
  if (header.response) {
    const awaited = phase.name === 'resume-sent' ? ExchangeType.IKE_SESSION_RESUME : ExchangeType.IKE_SA_INIT;
    noteOtherAnswer(state, message, path);
    if (header.exchangeType !== awaited) reject('the answer to another first exchange');
    else if (phase.name === 'init-sent') handleInitResponse(state, phase, message, path);
    else if (phase.name === 'resume-sent') handleResumeResponse(state, phase, message, path);
    else reject('the first exchange is already answered');
    return;
  }
  // RFC 7296 2.1: the same request again gets the same answer; another one under the same SPI is not ours to answer.
  if (phase.name !== 'half-open') {
    reject('the first exchange is over');
    return;
  }
  if (!sameOctets(message.octets, phase.initRequest)) {
    if (!sameButForCookie(message.octets, phase.initRequest)) {
      reject('another first request under the same SPI');
      return;
    }
    // Its sender had asked before it heard of cookies; which of the two it signs is known only when it does.
    state.phase = { ...phase, otherInitRequest: message.octets.slice() };
  }
  if (state.firstAnswersAgain === firstAnswersAgainMax) {
    reject('a first request that is repeated without end');
    return;
  }
  state.firstAnswersAgain++;
  transmit(state, [phase.initResponse], path);
}

type Opened =
  | {
      readonly kind: 'opened';
      readonly payloads: readonly Payload[];
      readonly unprotected: readonly Payload[];
    }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'nothing' };

function open(state: IkeSaState, message: IkeMessage): Opened {
  const { header } = message;
  const { opener } = state.secure();
  const nothing = (reason: string): Opened => {
    state.reject(reason, header.exchangeType, header.messageId);
    return { kind: 'nothing' };
  };
  const limits = isHalfOpen(state.phase) ? unauthenticatedReassemblyLimits : defaultReassemblyLimits;
  if (payloadOf(message.payloads, 'SKF') === undefined) {
    const { length } = message.octets;
    if (length > limits.messageBytesMax) return nothing(`${length} octets before anybody is authenticated`);
    const opening = openMessage(message, opener);
    return opening.kind === 'forged' ? nothing('the integrity check failed') : opening;
  }
  if (state.connection.fragmentation === 'no') return nothing('a fragment that we did not agree to');
  const key = `${header.response ? 'response' : 'request'} ${header.messageId}`;
  const reassembly = state.reassemblies.get(key) ?? new Reassembly(header.messageId, limits);
  const step = reassembly.add(message, opener);
  switch (step.kind) {
    case 'complete':
      state.reassemblies.delete(key);
      // RFC 7383 2.5.3: what stands before SKF is not protected, and not looked at.
      return { kind: 'opened', payloads: step.payloads, unprotected: [] };
    case 'malformed':
      state.reassemblies.delete(key);
      return { kind: 'malformed' };
    case 'dropped':
      return nothing(`a fragment was dropped: ${step.reason}`);
    case 'incomplete':
      state.reassemblies.set(key, reassembly);
      for (const oldest of state.reassemblies.keys()) {
        if (state.reassemblies.size <= reassembliesMax) break;
        state.reassemblies.delete(oldest);
      }
      return { kind: 'nothing' };
  }
}

/** A message passed its integrity check for the first time: the peer lives, and where it is now (RFC 7296 2.23). */
function noteFreshMessage(state: IkeSaState, path: Path): void {
  state.lastInboundAt = state.at;
  const from = state.remote;
  const moved = path.remote.address !== from.address || path.remote.port !== from.port;
  const floated = path.local.port !== state.local.port;
  if (!moved && !floated) return;
  const connecting = isHalfOpen(state.phase);
  // RFC 4555 3.8: it says itself where it is.
  if (state.mobility !== undefined) return;
  // Behind a NAT ourselves, following would let one forged source address cut us off.
  if (!connecting && state.nat.local) return;
  state.local = path.local;
  state.remote = path.remote;
  if (connecting) return;
  moveChildren(state);
  sendAgainThere(state);
  state.emit({ kind: 'peer-moved', from, to: path.remote });
}

function receiveResponse(state: IkeSaState, message: IkeMessage, path: Path): void {
  const { header } = message;
  if (receiveSyncResponse(state, message)) return;
  const request = state.requests.outstanding(header.messageId);
  if (request === undefined || request.exchangeType !== header.exchangeType) {
    state.reject('an answer to nothing', header.exchangeType, header.messageId);
    return;
  }
  const opened = open(state, message);
  if (opened.kind === 'nothing') return;
  noteFreshMessage(state, path);
  const kind = responseKind(request.exchange.kind, request.exchange);
  const rules =
    opened.kind === 'opened' ? checkPayloads(kind, opened.unprotected, opened.payloads) : undefined;
  if (rules === undefined || !rules.ok) {
    // RFC 7296 2.21: no error message answers a response; the states no longer agree, so the IKE SA goes.
    const reason = rules === undefined ? 'the answer is malformed' : rules.reason;
    state.reject(reason, header.exchangeType, header.messageId);
    endIkeSa(state, failure('invalid-syntax', reason));
    return;
  }
  state.requests.close(header.messageId);
  measureRequest(state, request);
  handleResponse(state, request, rules.payloads, path);
}

function responseKind(
  kind: string,
  exchange: { readonly kind: string; readonly replaces?: unknown; readonly eap?: EapStage },
): MessageKind {
  switch (kind) {
    case 'ike-auth':
      return exchange.eap === undefined ? 'IKE_AUTH response' : `IKE_AUTH EAP-${exchange.eap} response`;
    case 'create-child':
      return exchange.replaces === undefined
        ? 'CREATE_CHILD_SA child response'
        : 'CREATE_CHILD_SA rekey-child response';
    case 'rekey-ike':
      return 'CREATE_CHILD_SA rekey-ike response';
    default:
      return 'INFORMATIONAL response';
  }
}

function receiveRequest(state: IkeSaState, message: IkeMessage, path: Path): void {
  const { header } = message;
  const { messageId, exchangeType } = header;
  const reject = (reason: string): void => state.reject(reason, exchangeType, messageId);
  if (receiveSyncRequest(state, message, path)) return;
  const receipt = state.responses.classify(messageId);
  if (receipt.kind === 'outside') {
    reject('outside the window');
    return;
  }
  if (receipt.kind === 'in-progress') return;
  if (receipt.kind === 'answered') {
    answerAgain(state, message, receipt.datagrams, path);
    return;
  }
  if (!mayReceive(state, exchangeType)) {
    reject(`exchange type ${exchangeType} in phase ${state.phase.name}`);
    return;
  }
  const opened = open(state, message);
  if (opened.kind === 'nothing') return;
  noteFreshMessage(state, path);
  if (state.phase.name === 'half-open') measureFirstAnswer(state);
  state.responses.accept(messageId);
  const origin: RequestOrigin = { messageId, exchangeType, local: path.local, remote: path.remote };
  if (opened.kind === 'malformed') {
    refuseMalformed(state, origin, 'malformed payloads');
    return;
  }
  handleRequest(state, origin, opened);
}

/** Nobody is believed before IKE_AUTH is done, except for IKE_AUTH itself, and who takes it back. */
function mayReceive({ phase: { name } }: IkeSaState, exchangeType: number): boolean {
  switch (name) {
    case 'half-open':
      return exchangeType === ExchangeType.IKE_AUTH;
    case 'eap-authenticator':
      return exchangeType === ExchangeType.IKE_AUTH || exchangeType === ExchangeType.INFORMATIONAL;
    case 'established':
    case 'rekeyed':
    case 'deleting':
      return exchangeType !== ExchangeType.IKE_AUTH;
    default:
      return false;
  }
}

/** RFC 7296 2.1, RFC 7383 2.6.1: only an authentic request, and of a fragmented one only the first fragment. */
function answerAgain(
  state: IkeSaState,
  message: IkeMessage,
  datagrams: readonly Uint8Array[],
  path: Path,
): void {
  const { header } = message;
  const { opener } = state.secure();
  const fragmented = payloadOf(message.payloads, 'SKF') !== undefined;
  if (fragmented && !Reassembly.isFirst(message)) return;
  const forged = fragmented
    ? new Reassembly(header.messageId).add(message, opener).kind === 'dropped'
    : openMessage(message, opener).kind === 'forged';
  if (forged) {
    state.reject('the integrity check failed', header.exchangeType, header.messageId);
    return;
  }
  const elsewhere = isHalfOpen(state.phase) && path.remote.address !== state.begunWith.address;
  if (!state.responses.repeat(header.messageId, elsewhere ? answersElsewhereAgainMax : undefined)) {
    state.reject('a request that is repeated without end', header.exchangeType, header.messageId);
    return;
  }
  state.statistics.retransmissions++;
  transmit(state, datagrams, path);
}

function handleRequest(
  state: IkeSaState,
  origin: RequestOrigin,
  opened: Extract<Opened, { readonly kind: 'opened' }>,
): void {
  const kind = requestKind(state, origin.exchangeType, opened.payloads);
  if (kind === undefined) {
    refuseMalformed(state, origin, `exchange type ${origin.exchangeType}`);
    return;
  }
  const rules = checkPayloads(kind, opened.unprotected, opened.payloads);
  if (!rules.ok) {
    if (rules.notifyType === NotifyType.INVALID_SYNTAX) {
      refuseMalformed(state, origin, rules.reason);
      return;
    }
    state.reject(rules.reason, origin.exchangeType, origin.messageId);
    sendResponse(state, origin, [notify(rules.notifyType, rules.data)]);
    // RFC 7296 2.21.2: in IKE_AUTH it is the end, later it is not.
    if (isHalfOpen(state.phase)) endIkeSa(state, failure('unsupported-critical-payload', rules.reason));
    return;
  }
  if (!requestedDeletes(rules.payloads).ike) noteUse(state);
  switch (origin.exchangeType) {
    case ExchangeType.IKE_AUTH:
      if (state.phase.name === 'half-open') handleAuthRequest(state, state.phase, origin, rules.payloads);
      else if (state.phase.name === 'eap-authenticator')
        continueEap(state, state.phase, origin, rules.payloads);
      return;
    case ExchangeType.CREATE_CHILD_SA:
      handleCreateChildSaRequest(state, origin, rules.payloads);
      return;
    default:
      if (state.phase.name === 'eap-authenticator') handleGivenUp(state, state.phase, origin, rules.payloads);
      else handleInformationalRequest(state, origin, rules.payloads);
      return;
  }
}

function requestKind(
  { phase }: IkeSaState,
  exchangeType: number,
  payloads: readonly Payload[],
): MessageKind | undefined {
  switch (exchangeType) {
    case ExchangeType.IKE_AUTH:
      if (phase.name !== 'eap-authenticator') return 'IKE_AUTH request';
      return `IKE_AUTH EAP-${phase.proven === undefined ? 'method' : 'last'} request`;
    case ExchangeType.CREATE_CHILD_SA:
      return `CREATE_CHILD_SA ${createChildSaPurpose(payloads)} request`;
    case ExchangeType.INFORMATIONAL:
      return 'INFORMATIONAL request';
    default:
      return undefined;
  }
}

/** RFC 7296 2.21.3: fatal for both ends, without a Delete. */
function refuseMalformed(state: IkeSaState, origin: RequestOrigin, reason: string): void {
  state.reject(reason, origin.exchangeType, origin.messageId);
  sendResponse(state, origin, [notify(NotifyType.INVALID_SYNTAX)]);
  endIkeSa(state, failure('invalid-syntax', reason));
}
