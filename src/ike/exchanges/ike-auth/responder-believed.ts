// IKE_AUTH as its initiator, once its answer has been judged: the IKE SA stands with what the responder gave, or it is told that it is
// not believed (RFC 7296 2.19, 2.21.2).
import { isIpv6 } from '#sa';
import { ExchangeType, NotifyType, type Payload } from '#wire';
import { installChild } from '../../child-sas/child-installation.ts';
import { summaryOf } from '../../child-sas/child-sa.ts';
import type { Identity } from '../../configuration.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { establish } from '../../lifecycle.ts';
import { sendRequest } from '../../messages/transmission.ts';
import { parseConfigurationReply } from '../../payloads/configuration-payload.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import { payloadOf } from '../../payloads/payload-lookup.ts';
import type { AuthenticationMaterial } from '../../phase.ts';
import { childKeys } from '../create-child-sa/child-keys.ts';
import { judgeAnswer } from '../create-child-sa/child-offer.ts';
import type { ChildOffer, IkeAuthExchange } from '../exchange.ts';
import { takeTicket } from '../ike-session-resume/tickets.ts';
import { reportNotifies } from '../informational/foreign-notifies.ts';
import { noteSyncAnnouncement } from '../informational/message-id-sync.ts';
import { noteWindowSize } from '../informational/window-size.ts';
import { noteMobike } from '../mobike/agreement.ts';

/** More name servers than any resolver asks. */
const nameServersMax = 16;

/** @param payloads of its answer, or of all its answers */
export function believeResponder(
  state: IkeSaState,
  exchange: IkeAuthExchange,
  peerIdentity: Identity,
  payloads: readonly Payload[],
  material: AuthenticationMaterial,
): void {
  state.remoteIdentity = peerIdentity;
  state.initialContact = findNotify(payloads, NotifyType.INITIAL_CONTACT) !== undefined;
  noteWindowSize(state, payloads);
  noteSyncAnnouncement(state, payloads);
  noteMobike(state, payloads);
  establish(state, material);
  reportNotifies(state, payloads);
  takeConfiguration(state, payloads);
  takeTicket(state, payloads);
  if (exchange.offer !== undefined) concludeChild(state, exchange.offer, material, payloads);
}

/** RFC 7296 2.21.2: the one error that an initiator reports by an exchange of its own. */
export function rejectResponder(state: IkeSaState, reason: IkeFailure): void {
  state.phase = { name: 'deleting', failure: reason };
  sendRequest(state, ExchangeType.INFORMATIONAL, { kind: 'authentication-failed', failure: reason }, [
    notify(NotifyType.AUTHENTICATION_FAILED),
  ]);
}

export function releaseOffer(state: IkeSaState, exchange: IkeAuthExchange): void {
  if (exchange.offer !== undefined) state.ports.releaseSpi(exchange.offer.inboundSpi);
}

/** RFC 7296 2.19, 3.15 */
function takeConfiguration(state: IkeSaState, payloads: readonly Payload[]): void {
  const asked = state.connection.virtualAddresses;
  if (asked.length === 0) return;
  const payload = payloadOf(payloads, 'CP');
  const reply = payload === undefined ? undefined : parseConfigurationReply(payload);
  if (reply === undefined) return;
  // RFC 7296 3.15.1: no more than were asked for.
  const addresses = [false, true].flatMap((ipv6) =>
    reply.addresses
      .filter((given) => isIpv6(given) === ipv6)
      .slice(0, asked.filter((wanted) => isIpv6(wanted) === ipv6).length),
  );
  if (addresses.length === 0) return;
  state.virtualAddresses = addresses;
  state.emit({ kind: 'virtual-addresses', addresses, dns: reply.dns.slice(0, nameServersMax) });
}

/** RFC 7296 2.21.2: a refused child leaves the IKE SA as it is. */
function concludeChild(
  state: IkeSaState,
  offer: ChildOffer,
  material: AuthenticationMaterial,
  payloads: readonly Payload[],
): void {
  const { name } = offer.configuration;
  if (state.connection.virtualAddresses.length > 0 && state.virtualAddresses.length === 0) {
    const missing = failure('internal-address-failure', 'the peer gave us no virtual address');
    state.emit({ kind: 'child-failed', name, failure: missing });
    if (payloadOf(payloads, 'SA') === undefined) {
      state.ports.releaseSpi(offer.inboundSpi);
      return;
    }
    abandonOffer(state, offer, missing);
    return;
  }
  const verdict = judgeAnswer(state, offer, payloads);
  if (verdict.kind === 'agreed') {
    const keys = childKeys(state, verdict.agreement.suite, material);
    const child = installChild(state, verdict.agreement, { keys, initiator: true, useOutbound: true });
    state.emit({ kind: 'child-established', child: summaryOf(child) });
    return;
  }
  state.emit({ kind: 'child-failed', name, failure: verdict.failure });
  if (verdict.kind === 'refused') state.ports.releaseSpi(offer.inboundSpi);
  else abandonOffer(state, offer, verdict.failure);
}

/** The responder made an SA that we did not accept: it has to be told to remove it. */
export function abandonOffer(state: IkeSaState, offer: ChildOffer, reason: IkeFailure): void {
  state.tasks.add({
    kind: 'delete-child',
    protocol: offer.protocol,
    inboundSpi: offer.inboundSpi,
    failure: reason,
    notInstalled: true,
  });
}
