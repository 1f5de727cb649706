// A datagram's way to its IKE SA, or to a stateless answer, or to nowhere, with the reason.
import { respondToInit, respondToResume } from '#ike';
import type { Endpoint } from '#sa';
import { cookieDemand } from '#unknown-spi';
import {
  decodeIkeHeader,
  decodeIkeMessage,
  ExchangeType,
  type IkeHeader,
  type IkeMessage,
  NotifyType,
  type ReceivedIkeHeader,
  unlessMalformed,
  zeroIkeSpi,
} from '#wire';
import type { EngineState } from './engine-state.ts';
import { keepEarly } from './ike-sas/early-messages.ts';
import { portsFor } from './ike-sas/ike-sa-ports.ts';
import type { IkeEntry } from './ike-sas/ike-sa-registry.ts';
import { newEntry } from './ike-sas/new-entry.ts';
import type { DatagramRefusal } from './interface.ts';
import { isOutsideExchanges, receiveHint } from './recovery/hints-received.ts';
import { heardOnIkeSa } from './recovery/parallel-attempt.ts';
import { creditDatagram, sendReply } from './recovery/reply.ts';
import { receiveUnknownIkeMessage } from './recovery/unknown-ike-message.ts';
import { withoutMarker } from './udp-encapsulation.ts';

/** A half-open IKE SA keeps its first request for AUTH, and anybody may make one. strongSwan too reads no longer ones. */
const firstRequestBytesMax = 10_000;

interface Received {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Without non-ESP marker. */
  readonly octets: Uint8Array;
}

/** Handles the payload of a UDP datagram. */
export function receiveDatagram(
  state: EngineState,
  local: Endpoint,
  remote: Endpoint,
  datagram: Uint8Array,
): void {
  const shared = local.port === state.configuration.ports.natTraversal;
  const content = shared ? withoutMarker(datagram) : { kind: 'ike' as const, octets: datagram };
  if (content.kind !== 'ike') {
    const reasons = { esp: 'esp', keepalive: 'keepalive', short: 'malformed' } as const;
    refuse(state, remote, reasons[content.kind]);
    return;
  }
  const received = { local, remote, octets: content.octets };
  const header = unlessMalformed(() => decodeIkeHeader(content.octets));
  if (header === undefined) {
    refuse(state, remote, 'malformed');
    return;
  }
  if (isOutsideExchanges(header) && receiveHint(state, remote, content.octets)) {
    creditDatagram(state, remote, datagram.length);
    return;
  }
  const entry = entryOf(state, header, received);
  if (entry === undefined) {
    if (keepEarly(state, header, received)) return;
    creditDatagram(state, remote, datagram.length);
    receiveUnknown(state, received, header);
    return;
  }
  entry.sa.handle({ kind: 'message', at: state.at, local, remote, octets: content.octets });
  state.touch(entry);
  heardOnIkeSa(state, entry);
}

function refuse(state: EngineState, remote: Endpoint, reason: DatagramRefusal, detail?: string): void {
  state.event({ kind: 'datagram-ignored', reason, remote, ...(detail === undefined ? {} : { detail }) });
}

function entryOf(state: EngineState, header: IkeHeader, { remote, octets }: Received): IkeEntry | undefined {
  // RFC 7296 3.1: the I flag tells which of the two SPIs the sender did not choose itself.
  if (!header.initiator) return state.registry.bySpi(header.initiatorSpi);
  if (header.responderSpi !== zeroIkeSpi) return state.registry.bySpi(header.responderSpi);
  return state.registry.byFirstRequest(header.initiatorSpi, remote, octets);
}

function receiveUnknown(state: EngineState, received: Received, header: ReceivedIkeHeader): void {
  const { remote, octets } = received;
  const refuseUnknown = (reason: DatagramRefusal): void => {
    refuse(state, remote, reason);
    receiveUnknownIkeMessage(state, { ...received, header, lengthBytes: octets.length });
  };
  // What does not even have the length that it claims is no IKE message, and gets no answer.
  if (header.length !== octets.length) {
    refuse(state, remote, 'malformed');
    return;
  }
  // RFC 7296 2.21.4: a response is never answered.
  if (header.response) {
    refuseUnknown('unknown-ike-spi');
    return;
  }
  if (header.majorVersion !== 2) {
    refuseUnknown('version');
    return;
  }
  const first =
    header.exchangeType === ExchangeType.IKE_SA_INIT ||
    header.exchangeType === ExchangeType.IKE_SESSION_RESUME;
  if (!first || header.responderSpi !== zeroIkeSpi) {
    refuseUnknown('unknown-ike-spi');
    return;
  }
  if (state.shuttingDown) {
    refuse(state, remote, 'shutting-down');
    return;
  }
  if (octets.length > firstRequestBytesMax) {
    refuse(state, remote, 'refused', `a first request of ${octets.length} octets`);
    return;
  }
  const request = unlessMalformed(() => decodeIkeMessage(octets));
  if (
    request === undefined ||
    !header.initiator ||
    header.messageId !== 0 ||
    header.initiatorSpi === zeroIkeSpi
  ) {
    refuse(state, remote, 'malformed');
    return;
  }
  receiveFirstRequest(state, received, request);
}

function receiveFirstRequest(state: EngineState, received: Received, message: IkeMessage): void {
  const { remote } = received;
  if (state.connections.first(received) === undefined) {
    refuse(state, remote, 'no-connection');
    return;
  }
  const nonce = message.payloads.find((payload) => payload.type === 'Nonce')?.data;
  if (nonce === undefined) {
    refuse(state, remote, 'malformed');
    return;
  }
  const subject = { initiatorSpi: message.header.initiatorSpi, source: remote, nonce };
  const [first] = message.payloads;
  // RFC 7296 2.6: a returned cookie is the first payload.
  const cookie = first?.type === 'N' && first.notifyType === NotifyType.COOKIE ? first.data : undefined;
  const cookieValid = cookie !== undefined && state.cookies.check(state.at, cookie, subject);
  const demandCookie = (): void => {
    state.event({ kind: 'cookie-demanded', remote });
    sendReply(state, received, cookieDemand(message.header, state.cookies.issue(state.at, subject)));
  };
  switch (state.halfOpen.admit(remote.address, cookieValid, state.configuration.halfOpen)) {
    case 'drop':
      refuse(state, remote, 'half-open-limit');
      return;
    case 'demand-cookie':
      demandCookie();
      return;
    case 'accept':
      if (acceptFirstRequest(state, received, message, cookieValid) === 'unproven') demandCookie();
  }
}

/**
 * Whoever has returned no cookie may be somebody else, who gets the answer: it must not be longer than the request.
 * @returns `unproven` if it would be
 */
function acceptFirstRequest(
  state: EngineState,
  received: Received,
  message: IkeMessage,
  cookieValid: boolean,
): 'unproven' | undefined {
  const { local, remote } = received;
  const ikeId = state.registry.nextIkeId();
  const line = { ikeId };
  const resumes = message.header.exchangeType === ExchangeType.IKE_SESSION_RESUME;
  const answer = (resumes ? respondToResume : respondToInit)({
    message,
    local,
    remote,
    at: state.at,
    ports: portsFor(state, line),
    natTraversal: { localPort: state.configuration.ports.natTraversal, remotePort: remote.port },
    halfOpenTimeoutMs: state.configuration.halfOpen.halfOpenTimeoutMs,
    keyLog: state.keyLog,
    ...(cookieValid ? {} : { answerBytesMax: received.octets.length }),
  });
  switch (answer.kind) {
    case 'unproven':
      return 'unproven';
    case 'drop':
      refuse(state, remote, 'refused', answer.reason);
      return undefined;
    case 'reply':
      refuse(state, remote, 'refused', answer.reason);
      sendReply(state, received, answer.octets);
      return undefined;
    case 'sa': {
      state.halfOpen.add(remote.address);
      const entry = newEntry(state, {
        ikeId,
        line,
        sa: answer.sa,
        initiator: false,
        initRequestFrom: remote,
      });
      entry.halfOpenSource = remote.address;
      state.touch(entry);
      return undefined;
    }
  }
}
