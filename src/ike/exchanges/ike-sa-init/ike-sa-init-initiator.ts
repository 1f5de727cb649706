// IKE_SA_INIT as its initiator: the request, its corrections (COOKIE, INVALID_KE_PAYLOAD), and the keys (RFC 7296 1.2, 2.6, 2.7).
import { CryptoError, deriveIkeKeys, wipe } from '#crypto';
import type { Endpoint } from '#sa';
import { ExchangeType, encodeIkeMessage, type IkeMessage, NotifyType, type Payload, zeroIkeSpi } from '#wire';
import { measureRequest } from '../../clocks/round-trip.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { endIkeSa } from '../../lifecycle.ts';
import { checkPayloads } from '../../messages/exchange-rules.ts';
import { headerOf, trackRequest } from '../../messages/transmission.ts';
import { firstKeyExchangeGroup, groupFromInvalidKe } from '../../negotiation/key-exchange-group.ts';
import { ikeSuiteFromReply, proposalsToWire } from '../../negotiation/proposals.ts';
import { findErrorNotify, findNotify, notify } from '../../payloads/notify.ts';
import { mandatoryPayload } from '../../payloads/payload-lookup.ts';
import type { InitSent } from '../../phase.ts';
import { protect } from '../../protection/protection-keys.ts';
import { initRefusalText } from '../../refusal-text.ts';
import { codeOfNotify } from '../create-child-sa/child-offer.ts';
import { beginIkeAuth } from '../ike-auth/ike-auth-initiator.ts';
import { nonceBytes } from '../nonces.ts';
import { announcements, noteAnnouncements } from './announcements.ts';
import { natNotifies, noteNatOfResponse } from './nat.ts';

/** Forged answers may ask for a COOKIE or another group again and again; this many are obeyed. */
export const correctionsMax = 8;

export function beginIkeSaInit(state: IkeSaState): void {
  const group = firstKeyExchangeGroup(state.connection.proposals);
  if (group === undefined) {
    endIkeSa(state, failure('no-proposal-chosen', 'no IKE proposal has a key exchange method'));
    return;
  }
  sendInit(state, {
    keyPair: state.ports.randomness.keyPair(group),
    nonce: state.ports.randomness.bytes(nonceBytes),
    triedGroups: [group],
    corrections: 0,
  });
}

function sendInit(state: IkeSaState, attempt: Omit<InitSent, 'name' | 'request'>): void {
  const { keyPair, nonce, cookie } = attempt;
  const payloads: Payload[] = [
    // RFC 7296 2.6: the cookie comes first, everything behind it is unchanged.
    ...(cookie === undefined ? [] : [notify(NotifyType.COOKIE, cookie)]),
    { type: 'SA', proposals: proposalsToWire(state.connection.proposals, new Uint8Array(0), 'IKE_SA_INIT') },
    { type: 'KE', group: keyPair.group, data: keyPair.publicValue },
    { type: 'Nonce', data: nonce },
    ...natNotifies(state),
    ...announcements(state),
  ];
  const header = headerOf(state, ExchangeType.IKE_SA_INIT, 0, false);
  const request = encodeIkeMessage({ header, payloads });
  state.phase = { name: 'init-sent', ...attempt, request };
  trackRequest(state, ExchangeType.IKE_SA_INIT, { kind: 'ike-sa-init' }, () => [request]);
}

export function handleInitResponse(
  state: IkeSaState,
  phase: InitSent,
  message: IkeMessage,
  path: { readonly local: Endpoint; readonly remote: Endpoint },
): void {
  const reject = (reason: string): void => state.reject(reason, ExchangeType.IKE_SA_INIT, 0);
  const rules = checkPayloads('IKE_SA_INIT response', message.payloads, undefined);
  if (!rules.ok) {
    reject(rules.reason);
    return;
  }
  const { payloads } = rules;

  const cookie = findNotify(payloads, NotifyType.COOKIE);
  if (cookie !== undefined) {
    // RFC 7296 2.6: 1 to 64 octets
    if (cookie.data.length < 1 || cookie.data.length > 64) {
      reject('a cookie of a forbidden length');
      return;
    }
    correct(state, phase, { cookie: cookie.data.slice() });
    return;
  }
  const invalidKe = findNotify(payloads, NotifyType.INVALID_KE_PAYLOAD);
  if (invalidKe !== undefined) {
    const group = groupFromInvalidKe(invalidKe.data, state.connection.proposals, phase.triedGroups);
    if (group === undefined) {
      refused(state, phase, failure('invalid-ke-payload', 'the peer wants a group that we do not offer'));
      return;
    }
    if (phase.corrections < correctionsMax) phase.keyPair.destroy();
    correct(state, phase, {
      keyPair: state.ports.randomness.keyPair(group),
      triedGroups: [...phase.triedGroups, group],
    });
    return;
  }
  const error = findErrorNotify(payloads);
  if (error !== undefined) {
    const { notifyType } = error;
    refused(state, phase, failure(codeOfNotify(notifyType), initRefusalText(notifyType), notifyType));
    return;
  }
  accept(state, phase, message, payloads, path);
}

/**
 * RFC 7296 2.6.1: sends the request again as the peer wants it, with all that was corrected before, within bounds. The back-off begins anew: the peer is there.
 */
function correct(
  state: IkeSaState,
  phase: InitSent,
  change: Partial<Pick<InitSent, 'cookie' | 'keyPair' | 'triedGroups'>>,
): void {
  if (phase.corrections >= correctionsMax) {
    change.keyPair?.destroy();
    state.reject('too many corrections of one request', ExchangeType.IKE_SA_INIT, 0);
    return;
  }
  state.requests.restart(0);
  sendInit(state, { ...phase, ...change, corrections: phase.corrections + 1 });
}

/** RFC 7296 2.21.1: nobody vouches for a refusal; it is remembered, and the request goes on being repeated. */
function refused(state: IkeSaState, phase: InitSent, refusal: IkeFailure): void {
  state.phase = { ...phase, refusal };
  state.emit({ kind: 'peer-refused', failure: refusal });
}

/** RFC 7296 2.4: whoever is quick answers before the peer does. That the peer has answered, too, tells that there are two. */
export function noteOtherAnswer(
  state: IkeSaState,
  { header: { responderSpi } }: IkeMessage,
  { remote }: { readonly remote: Endpoint },
): void {
  const { phase, spis } = state;
  if (phase.name !== 'auth-sent' || phase.answeredTwice === true) return;
  if (responderSpi === zeroIkeSpi || responderSpi === spis.responder) return;
  if (remote.address !== state.remote.address) return;
  state.phase = { ...phase, answeredTwice: true };
  state.emit({ kind: 'answered-twice' });
}

function accept(
  state: IkeSaState,
  phase: InitSent,
  message: IkeMessage,
  payloads: readonly Payload[],
  path: { readonly local: Endpoint; readonly remote: Endpoint },
): void {
  const unusable = (code: IkeFailure['code'], detail: string): void =>
    refused(state, phase, failure(code, detail));
  const { responderSpi } = message.header;
  const ke = mandatoryPayload(payloads, 'KE');
  const nonce = mandatoryPayload(payloads, 'Nonce').data;
  const offered = proposalsToWire(state.connection.proposals, new Uint8Array(0), 'IKE_SA_INIT');
  const chosen = ikeSuiteFromReply(mandatoryPayload(payloads, 'SA').proposals, offered);
  if (responderSpi === zeroIkeSpi) {
    unusable('invalid-syntax', 'the answer has no responder SPI');
    return;
  }
  if (chosen === undefined) {
    unusable('no-proposal-chosen', 'the peer chose a proposal that we did not make');
    return;
  }
  if (chosen.suite.ke !== phase.keyPair.group || ke.group !== phase.keyPair.group) {
    unusable('invalid-ke-payload', 'the peer answered another key exchange method than we used');
    return;
  }
  let sharedSecret: Uint8Array;
  try {
    sharedSecret = phase.keyPair.agree(ke.data);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    unusable('invalid-ke-payload', error.message);
    return;
  }
  phase.keyPair.destroy();
  measureRequest(state, state.requests.outstanding(0));
  state.requests.close(0);
  state.spis = { initiator: state.spis.initiator, responder: responderSpi };
  const nonceResponder = nonce.slice();
  const keys = deriveIkeKeys({
    suite: chosen.suite,
    nonceInitiator: phase.nonce,
    nonceResponder,
    initiatorSpi: state.spis.initiator,
    responderSpi,
    sharedSecret,
  });
  wipe(sharedSecret);
  protect(state, chosen.suite, keys);
  noteAnnouncements(state, payloads);
  noteNatOfResponse(state, payloads, path);
  beginIkeAuth(
    state,
    {
      initRequest: phase.request,
      initResponse: message.octets.slice(),
      nonceInitiator: phase.nonce,
      nonceResponder,
    },
    payloads,
  );
}
