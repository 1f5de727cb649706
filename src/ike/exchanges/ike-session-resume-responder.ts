// IKE_SESSION_RESUME as its responder: a ticket is looked at, and refused without state or answered (RFC 5723 4.3.2, 5.1).
import { deriveResumedIkeKeys, wipe } from '#crypto';
import {
  AuthMethod,
  ExchangeType,
  encodeIkeMessage,
  type IkeMessage,
  type NotifyPayload,
  NotifyType,
  type Payload,
  zeroIkeSpi,
} from '#wire';
import { findSharedSecret } from '../authentication/shared-secret.ts';
import type { ConnectionConfiguration } from '../configuration.ts';
import { checkPayloads } from '../exchange-rules.ts';
import { IkeSaState } from '../ike-sa-state.ts';
import { judgeNat, natDetectionNotifies } from '../nat-detection.ts';
import { suiteAllowed } from '../negotiation/suite-allowed.ts';
import { findNotify, notify } from '../notify.ts';
import { mandatoryPayload } from '../payload-lookup.ts';
import { protect } from '../protection-keys.ts';
import type { TicketContent } from '../resumption/ticket-content.ts';
import { headerOf, transmit } from '../transmission.ts';
import { announcements, natSpis, nonceBytes, noteAnnouncements } from './ike-sa-init-initiator.ts';
import type { InitOutcome, InitRequest } from './ike-sa-init-responder.ts';

export function answerResumeRequest(request: InitRequest): InitOutcome {
  const { message, ports } = request;
  const { header } = message;
  if (header.response || !header.initiator || header.messageId !== 0 || header.responderSpi !== zeroIkeSpi) {
    return { kind: 'drop', reason: 'no beginning of an IKE SA' };
  }
  const rules = checkPayloads('IKE_SESSION_RESUME request', message.payloads, undefined);
  if (!rules.ok) return reply(message, notify(rules.notifyType, rules.data), rules.reason);
  const { payloads } = rules;
  const presented = findNotify(payloads, NotifyType.TICKET_OPAQUE);
  if (presented === undefined) {
    return reply(message, notify(NotifyType.INVALID_SYNTAX), 'IKE_SESSION_RESUME without a ticket');
  }
  const refused = (reason: string): InitOutcome => reply(message, notify(NotifyType.TICKET_NACK), reason);
  const { tickets } = ports;
  if (tickets === undefined) return refused('no ticket is accepted here');
  const verdict = tickets.inspect(ports.wallClockMs(), presented.data);
  if (!verdict.ok) return refused(verdict.reason);
  const { content } = verdict;
  const connection = connectionOf(request, content);
  if (connection === undefined) {
    wipe(content.skD);
    return refused('the configuration does not allow any more what the ticket stands for');
  }
  return accept(request, payloads, content, connection);
}

/** The connection that authorised the client must still do so, for what the ticket brings along. */
function connectionOf(
  { ports, local, remote }: InitRequest,
  content: TicketContent,
): ConnectionConfiguration | undefined {
  const { clientIdentity, gatewayIdentity, clientMethod, suite } = content;
  const shared = clientMethod === AuthMethod.SHARED_KEY;
  const connection = ports
    .connectionsFor({
      local,
      remote,
      identities: { initiator: clientIdentity, responder: gatewayIdentity },
    })
    .find(({ name }) => name === content.connection);
  if (connection?.resumption === undefined || !suiteAllowed(connection, suite)) return undefined;
  const { method } = connection.remote;
  if (method !== 'any' && (method === 'psk') !== shared) return undefined;
  // Whoever's key was taken away is not authenticated by it any more.
  const { sharedSecrets } = ports.credentials();
  if (shared && findSharedSecret(sharedSecrets, gatewayIdentity, clientIdentity) === undefined) {
    return undefined;
  }
  return connection;
}

function accept(
  request: InitRequest,
  payloads: readonly Payload[],
  content: TicketContent,
  connection: ConnectionConfiguration,
): InitOutcome {
  const { message, ports, local, remote } = request;
  const nonceInitiator = mandatoryPayload(payloads, 'Nonce').data.slice();
  const nonceResponder = ports.randomness.bytes(nonceBytes);
  const spis = { initiator: message.header.initiatorSpi, responder: ports.allocateIkeSpi() };
  const halfOpen = {
    name: 'half-open',
    initRequest: message.octets.slice(),
    nonceInitiator,
    nonceResponder,
    initResponse: new Uint8Array(0),
    expiresAt: request.at + request.halfOpenTimeoutMs,
  } as const;
  const state = new IkeSaState({
    ports,
    role: 'responder',
    connection,
    spis,
    local,
    remote,
    natTraversal: request.natTraversal,
    keyLog: request.keyLog,
    at: request.at,
    phase: halfOpen,
    firstRequestId: 0,
    firstExpectedId: 1,
  });
  const { suite, skD, ...rest } = content;
  const keys = deriveResumedIkeKeys({
    suite,
    nonceInitiator,
    nonceResponder,
    initiatorSpi: spis.initiator,
    responderSpi: spis.responder,
    resumed: { skD, prf: suite.prf },
  });
  wipe(skD);
  state.resumption = {
    former: content.spis,
    localIdentity: content.gatewayIdentity,
    remoteIdentity: content.clientIdentity,
    reauthAtMs: content.reauthAtMs,
    content: { ...rest, suite, skD: new Uint8Array(0) },
  };
  protect(state, suite, keys);
  noteAnnouncements(state, payloads);
  const verdict = judgeNat(
    payloads,
    { initiatorSpi: spis.initiator, responderSpi: zeroIkeSpi },
    local,
    remote,
  );
  state.nat = connection.encap && verdict.supported ? { ...verdict, local: true } : verdict;
  if (state.encapsulated) {
    state.emit({ kind: 'nat-detected', local: state.nat.local, remote: state.nat.remote });
  }
  const initResponse = encodeIkeMessage({
    header: headerOf(state, ExchangeType.IKE_SESSION_RESUME, 0, true),
    payloads: [
      { type: 'Nonce', data: nonceResponder },
      ...(verdict.supported ? natDetectionNotifies(natSpis(state), local, remote, connection.encap) : []),
      ...announcements(state),
      notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED),
    ],
  });
  state.phase = { ...halfOpen, initResponse };
  transmit(state, [initResponse]);
  return { kind: 'state', state };
}

/** RFC 5723 4.3.2: unprotected, since there are no keys. */
function reply(message: IkeMessage, payload: NotifyPayload, reason: string): InitOutcome {
  const header = {
    ...message.header,
    majorVersion: 2,
    minorVersion: 0,
    initiator: false,
    response: true,
    higherVersion: false,
  };
  return { kind: 'reply', octets: encodeIkeMessage({ header, payloads: [payload] }), reason };
}
