// Sending: requests with their retransmission (RFC 7296 2.1, 2.4), responses kept for repeated requests.
import { type Endpoint, isIpv6 } from '#sa';
import type { IkeHeader, Payload } from '#wire';
import { retransmitDelayMs } from '../clocks/retransmission.ts';
import type { Exchange, OutstandingRequest } from '../exchanges/exchange.ts';
import { pathsFor } from '../exchanges/mobike/other-paths.ts';
import type { IkeSaState } from '../ike-sa-state.ts';
import { samePath } from '../mobility.ts';

/** A request that has to be answered, and where from it came (RFC 7296 2.11: the answer goes back there). */
export interface RequestOrigin {
  readonly messageId: number;
  readonly exchangeType: number;
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export function transmit(
  state: IkeSaState,
  datagrams: readonly Uint8Array[],
  path: { readonly local: Endpoint; readonly remote: Endpoint } = state,
): void {
  for (const octets of datagrams) {
    state.statistics.messagesSent++;
    state.outputs.push({ kind: 'transmit', local: path.local, remote: path.remote, octets });
  }
}

export function headerOf(
  state: IkeSaState,
  exchangeType: number,
  messageId: number,
  response: boolean,
): IkeHeader {
  return {
    initiatorSpi: state.spis.initiator,
    responderSpi: state.spis.responder,
    majorVersion: 2,
    minorVersion: 0,
    exchangeType,
    initiator: state.role === 'initiator',
    response,
    higherVersion: false,
    messageId,
  };
}

function seal(
  state: IkeSaState,
  header: IkeHeader,
  payloads: readonly Payload[],
  bytesMin?: number,
): readonly Uint8Array[] {
  const { sealer } = state.secure();
  if (bytesMin !== undefined) return [sealer.seal(header, payloads, bytesMin)];
  const { fragmentation, fragmentSizeBytes } = state.connection;
  // RFC 7383 2.3, 2.4: only if both ends announced it, and only messages that do not fit.
  if (!state.peer.fragmentation || fragmentation === 'no') return [sealer.seal(header, payloads)];
  return sealer.sealFragmented(header, payloads, {
    packetBytes: fragmentSizeBytes,
    ipv6: isIpv6(state.remote.address),
    marker: state.local.port === state.natTraversal.localPort,
  });
}

/** Files a request that is sent for the first time. */
export function trackRequest(
  state: IkeSaState,
  exchangeType: number,
  exchange: Exchange,
  encode: (messageId: number) => readonly Uint8Array[],
): void {
  const messageId = state.requests.nextMessageId;
  const datagrams = encode(messageId);
  const delayMs = firstDelay(state);
  const early = delayMs > earlyMs && (exchange.kind === 'update-addresses' || exchange.kind === 'check-path');
  state.requests.open({
    messageId,
    exchangeType,
    exchange,
    datagrams,
    firstSentAt: state.at,
    sentAt: state.at,
    attempt: 0,
    nextAt: state.at + (early ? earlyMs : delayMs),
    ...(early && { early }),
  });
  transmit(state, datagrams, exchange.kind === 'check-path' ? exchange.candidate : state);
}

/** Where somebody has just arrived the first packet is often lost, and nothing gets through until the second one. */
const earlyMs = 1_000;

export function firstDelay(state: IkeSaState): number {
  const { retransmit } = state.connection;
  return retransmitDelayMs(retransmit, 0, state.ports.randomness) ?? retransmit.baseMs;
}

export function sendRequest(
  state: IkeSaState,
  exchangeType: number,
  exchange: Exchange,
  payloads: readonly Payload[],
  bytesMin?: number,
): void {
  trackRequest(state, exchangeType, exchange, (messageId) =>
    seal(state, headerOf(state, exchangeType, messageId, false), payloads, bytesMin),
  );
}

/** A message of RFC 6311: its Message ID is 0, and it is neither filed nor repeated. */
export function sendUnnumbered(
  state: IkeSaState,
  exchangeType: number,
  response: boolean,
  payloads: readonly Payload[],
  path: { readonly local: Endpoint; readonly remote: Endpoint } = state,
): void {
  transmit(state, [state.secure().sealer.seal(headerOf(state, exchangeType, 0, response), payloads)], path);
}

export function sendResponse(state: IkeSaState, origin: RequestOrigin, payloads: readonly Payload[]): void {
  const header = headerOf(state, origin.exchangeType, origin.messageId, true);
  const datagrams = seal(state, header, payloads);
  state.responses.answer(origin.messageId, datagrams);
  transmit(state, datagrams, origin);
}

/** A full exchange is at hand if resuming fails, and it asks more people: the patience for a ticket is short. */
const resumeRetransmissionsMax = 2;

/** Sends a request again if it is time to. False: all tries are spent. */
export function retransmit(state: IkeSaState, request: OutstandingRequest): boolean {
  if (request.nextAt > state.at) return true;
  if (request.early) {
    request.early = undefined;
    request.nextAt = state.at + firstDelay(state);
    repeat(state, request);
    return true;
  }
  const { kind } = request.exchange;
  if (kind === 'ike-session-resume' && request.attempt >= resumeRetransmissionsMax) return false;
  const delay = retransmitDelayMs(state.connection.retransmit, request.attempt + 1, state.ports.randomness);
  if (delay === undefined) return false;
  request.attempt++;
  request.nextAt = state.at + delay;
  state.emit({
    kind: 'retransmitting',
    exchangeType: request.exchangeType,
    messageId: request.messageId,
    attempt: request.attempt,
  });
  repeat(state, request);
  return true;
}

function repeat(state: IkeSaState, request: OutstandingRequest): void {
  state.statistics.retransmissions++;
  request.sentAt = state.at;
  const [first, ...others] = pathsFor(state, request);
  const { exchange } = request;
  const strayed = exchange.kind === 'check-path' && !samePath(first, exchange.candidate);
  const strays = strayed ? [first, ...others] : others;
  if (strays.length > 0) request.strays = [...(request.strays ?? []), ...strays];
  for (const path of [first, ...others]) transmit(state, request.datagrams, path);
}
