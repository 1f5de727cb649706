// IKE_SESSION_RESUME as its initiator: a ticket and a nonce instead of proposals and a key exchange (RFC 5723 4.3.2, 5.1).
import { deriveResumedIkeKeys, wipe } from '#crypto';
import type { Endpoint } from '#sa';
import { ExchangeType, encodeIkeMessage, type IkeMessage, NotifyType, type Payload, zeroIkeSpi } from '#wire';
import { measureRequest } from '../../clocks/round-trip.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import { endIkeSa } from '../../lifecycle.ts';
import { checkPayloads } from '../../messages/exchange-rules.ts';
import { headerOf, trackRequest } from '../../messages/transmission.ts';
import { findErrorNotify, findNotify, notify, notifyName } from '../../payloads/notify.ts';
import { mandatoryPayload } from '../../payloads/payload-lookup.ts';
import type { ResumeSent } from '../../phase.ts';
import { protect } from '../../protection/protection-keys.ts';
import type { ClientTicket } from '../../resumption/client-ticket.ts';
import { beginIkeAuth } from '../ike-auth/ike-auth-initiator.ts';
import { announcements, noteAnnouncements } from '../ike-sa-init/announcements.ts';
import { correctionsMax } from '../ike-sa-init/ike-sa-init-initiator.ts';
import { natNotifies, noteNatOfResponse } from '../ike-sa-init/nat.ts';
import { nonceBytes } from '../nonces.ts';

export function beginResumption(state: IkeSaState, ticket: ClientTicket): void {
  state.resumption = {
    former: ticket.spis,
    localIdentity: ticket.localIdentity,
    remoteIdentity: ticket.remoteIdentity,
    reauthAtMs: ticket.reauthAtMs,
    content: undefined,
  };
  if (ticket.virtualAddresses.length > 0) state.formerAddresses = ticket.virtualAddresses;
  sendResume(state, {
    ticket: ticket.ticket,
    suite: ticket.suite,
    skD: ticket.skD.slice(),
    nonce: state.ports.randomness.bytes(nonceBytes),
    corrections: 0,
  });
}

function sendResume(state: IkeSaState, attempt: Omit<ResumeSent, 'name' | 'request'>): void {
  const { nonce, cookie, ticket } = attempt;
  const payloads: Payload[] = [
    ...(cookie === undefined ? [] : [notify(NotifyType.COOKIE, cookie)]),
    { type: 'Nonce', data: nonce },
    notify(NotifyType.TICKET_OPAQUE, ticket),
    ...natNotifies(state),
    ...announcements(state),
  ];
  const header = headerOf(state, ExchangeType.IKE_SESSION_RESUME, 0, false);
  const request = encodeIkeMessage({ header, payloads });
  state.phase = { name: 'resume-sent', ...attempt, request };
  trackRequest(state, ExchangeType.IKE_SESSION_RESUME, { kind: 'ike-session-resume' }, () => [request]);
}

export function handleResumeResponse(
  state: IkeSaState,
  phase: ResumeSent,
  message: IkeMessage,
  path: { readonly local: Endpoint; readonly remote: Endpoint },
): void {
  const reject = (reason: string): void => state.reject(reason, ExchangeType.IKE_SESSION_RESUME, 0);
  const rules = checkPayloads('IKE_SESSION_RESUME response', message.payloads, undefined);
  if (!rules.ok) {
    reject(rules.reason);
    return;
  }
  const { payloads } = rules;
  const cookie = findNotify(payloads, NotifyType.COOKIE);
  if (cookie !== undefined) {
    // RFC 7296 2.6: 1 to 64 octets
    if (cookie.data.length < 1 || cookie.data.length > 64) reject('a cookie of a forbidden length');
    else correct(state, phase, cookie.data.slice());
    return;
  }
  const refusal = findNotify(payloads, NotifyType.TICKET_NACK) ?? findErrorNotify(payloads);
  if (refusal !== undefined) {
    // Nobody vouches for a refusal. Still it ends the attempt: all that a forged one can bring about is a full exchange,
    // which is authenticated (RFC 5723 4.3.2).
    const detail = `the peer sent ${notifyName(refusal.notifyType)} for our ticket`;
    endIkeSa(state, failure('ticket-refused', detail, refusal.notifyType));
    return;
  }
  if (message.header.responderSpi === zeroIkeSpi) {
    reject('the answer has no responder SPI');
    return;
  }
  accept(state, phase, message, payloads, path);
}

function correct(state: IkeSaState, phase: ResumeSent, cookie: Uint8Array): void {
  if (phase.corrections >= correctionsMax) {
    state.reject('too many corrections of one request', ExchangeType.IKE_SESSION_RESUME, 0);
    return;
  }
  state.requests.restart(0);
  sendResume(state, { ...phase, cookie, corrections: phase.corrections + 1 });
}

function accept(
  state: IkeSaState,
  phase: ResumeSent,
  message: IkeMessage,
  payloads: readonly Payload[],
  path: { readonly local: Endpoint; readonly remote: Endpoint },
): void {
  measureRequest(state, state.requests.outstanding(0));
  state.requests.close(0);
  const { suite, skD } = phase;
  const nonceResponder = mandatoryPayload(payloads, 'Nonce').data.slice();
  state.spis = { initiator: state.spis.initiator, responder: message.header.responderSpi };
  const keys = deriveResumedIkeKeys({
    suite,
    nonceInitiator: phase.nonce,
    nonceResponder,
    initiatorSpi: state.spis.initiator,
    responderSpi: state.spis.responder,
    resumed: { skD, prf: suite.prf },
  });
  wipe(skD);
  protect(state, suite, keys);
  noteAnnouncements(state, payloads);
  noteNatOfResponse(state, payloads, path);
  const material = {
    initRequest: phase.request,
    initResponse: message.octets.slice(),
    nonceInitiator: phase.nonce,
    nonceResponder,
  };
  beginIkeAuth(state, material, payloads);
}
