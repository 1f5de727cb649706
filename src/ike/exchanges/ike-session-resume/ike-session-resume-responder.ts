// IKE_SESSION_RESUME as its responder: a ticket is looked at, and refused without state or answered (RFC 5723 4.3.2, 5.1).
import { deriveResumedIkeKeys, wipe } from '#crypto';
import { ExchangeType, NotifyType, type Payload } from '#wire';
import type { ConnectionConfiguration } from '../../configuration.ts';
import { checkPayloads } from '../../messages/exchange-rules.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import { protect } from '../../protection/protection-keys.ts';
import type { TicketContent } from '../../resumption/ticket-content.ts';
import {
  answerHalfOpen,
  answerOctets,
  beginsIkeSa,
  type InitOutcome,
  type InitRequest,
  openHalfOpen,
  replyWithoutState,
  unproven,
} from '../ike-sa-init/half-open.ts';
import { connectionOfTicket, ticketNotAllowed } from './ticket-connection.ts';

export function answerResumeRequest(request: InitRequest): InitOutcome {
  const { message, ports } = request;
  if (!beginsIkeSa(message)) return { kind: 'drop', reason: 'no beginning of an IKE SA' };
  const rules = checkPayloads('IKE_SESSION_RESUME request', message.payloads, undefined);
  if (!rules.ok) return replyWithoutState(message, notify(rules.notifyType, rules.data), rules.reason);
  const { payloads } = rules;
  const presented = findNotify(payloads, NotifyType.TICKET_OPAQUE);
  if (presented === undefined) {
    return replyWithoutState(
      message,
      notify(NotifyType.INVALID_SYNTAX),
      'IKE_SESSION_RESUME without a ticket',
    );
  }
  const refused = (reason: string): InitOutcome =>
    replyWithoutState(message, notify(NotifyType.TICKET_NACK), reason);
  const { tickets } = ports;
  if (tickets === undefined) return refused('no ticket is accepted here');
  const verdict = tickets.inspect(ports.wallClockMs(), presented.data);
  if (!verdict.ok) return refused(verdict.reason);
  const { content } = verdict;
  const connection = connectionOfTicket(request, content);
  if (connection === undefined) {
    wipe(content.skD);
    return refused(ticketNotAllowed);
  }
  return accept(request, payloads, content, connection);
}

function accept(
  request: InitRequest,
  payloads: readonly Payload[],
  content: TicketContent,
  connection: ConnectionConfiguration,
): InitOutcome {
  const half = openHalfOpen(request, connection, payloads);
  const { state, halfOpen } = half;
  const { suite, skD, ...rest } = content;
  state.resumption = {
    former: content.spis,
    localIdentity: content.gatewayIdentity,
    remoteIdentity: content.clientIdentity,
    reauthAtMs: content.reauthAtMs,
    content: { ...rest, suite, skD: new Uint8Array(0) },
  };
  const chosen = { exchangeType: ExchangeType.IKE_SESSION_RESUME, payloads: [], certificateRequest: [] };
  const initResponse = answerOctets(half, chosen, request.answerBytesMax);
  if (initResponse === undefined) {
    wipe(skD);
    return unproven;
  }
  const keys = deriveResumedIkeKeys({
    suite,
    nonceInitiator: halfOpen.nonceInitiator,
    nonceResponder: halfOpen.nonceResponder,
    initiatorSpi: state.spis.initiator,
    responderSpi: state.spis.responder,
    resumed: { skD, prf: suite.prf },
  });
  wipe(skD);
  protect(state, suite, keys);
  return answerHalfOpen(half, initResponse);
}
