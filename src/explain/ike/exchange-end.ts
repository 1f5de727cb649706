// What is left to say of an exchange when nothing more will come: repetitions, and requests without an answer.
import { ExchangeType, exchangeTypeName } from '#wire';
import type { Sighting } from '../story.ts';
import { count, duration } from '../words.ts';
import { isInit } from './exchange-kind.ts';
import { briefOfferText } from './proposal-text.ts';
import { otherRole, type TrackedExchange, type TrackedIkeSa, type TrackedMessage } from './tracked-ike-sa.ts';

/** At the end of a capture an answer may be on its way. */
const graceUs = 2_000_000;
/** Larger messages are cut by IP where no IKE fragmentation is in use. */
const onePacketBytes = 1_400;

/** @param lastUs the time of the last frame; undefined: the capture goes on */
export function concludeExchange(
  sa: TrackedIkeSa,
  exchange: TrackedExchange,
  lastUs: number | undefined,
): void {
  const { request, response } = exchange;
  if (request === undefined) return;
  if (response === undefined) {
    // RFC 7296 2.8.2: what was asked on an IKE SA that both replace ends with it.
    if (request.tries === 1 && (sa.state === 'rekeyed' || sa.state === 'deleted')) return;
    const waitedUs = (lastUs ?? Number.POSITIVE_INFINITY) - request.last.atUs;
    if (request.tries > 1 || waitedUs > graceUs) unanswered(sa, exchange, request);
    return;
  }
  if (request.tries > 1) repeated(sa, exchange, request, response);
}

function nameOf({ exchangeType, messageId }: TrackedExchange): string {
  return isInit(exchangeType)
    ? exchangeTypeName(exchangeType)
    : `${exchangeTypeName(exchangeType)} ${messageId}`;
}

function repeated(
  sa: TrackedIkeSa,
  exchange: TrackedExchange,
  request: TrackedMessage,
  response: TrackedMessage,
): void {
  const [asker, other] = [sa.address(exchange.requester), sa.address(otherRole(exchange.requester))];
  const late = exchange.triesAfterResponse;
  sa.conversation.findings.find(request.first, {
    code: 'retransmission',
    severity: 'notice',
    about: `${asker} ${exchange.exchangeType}`,
    what: `${asker} had to send ${nameOf(exchange)} ${count(request.tries, 'time')} (${sa.name})`,
    why: `frames ${request.first.frame} to ${request.last.frame}; the answer is frame ${response.first.frame}, after ${duration(response.first.atUs - request.first.atUs)}`,
    advice:
      late > 0
        ? `The answer had passed here before ${count(late, 'repetition')}: it was lost on the way from here to ${asker}.`
        : `Requests or answers were lost between here and ${other}, or ${other} was busy.`,
  });
}

function unanswered(sa: TrackedIkeSa, exchange: TrackedExchange, request: TrackedMessage): void {
  const { events, findings } = sa.conversation;
  const [asker, other] = [sa.address(exchange.requester), sa.address(otherRole(exchange.requester))];
  const overUs = request.last.atUs - request.first.atUs;
  const often = request.tries > 1 ? `, sent ${request.tries} times over ${duration(overUs)}` : '';
  const told = { ...request.first } satisfies Sighting;
  const init = exchange.exchangeType === ExchangeType.IKE_SA_INIT;
  const offers = init && sa.offered !== undefined ? ` (offers ${briefOfferText(sa.offered)})` : '';
  events.tell(told, 'unanswered', `${asker} sends ${nameOf(exchange)}${offers}${often}; no answer`);
  const missing = request.fragmentsTotal - request.fragmentsSeen.size;
  const incomplete = request.fragmentsTotal > 1 && missing > 0;
  findings.find(told, {
    code: init ? 'init-unanswered' : 'request-unanswered',
    severity: 'problem',
    about: `${asker} ${exchange.exchangeType}`,
    what: `${other} never answers ${nameOf(exchange)} of ${asker}${often}`,
    why: `frames ${request.first.frame} to ${request.last.frame}, and no response with that message ID${
      incomplete ? `; ${missing} of ${request.fragmentsTotal} fragments were never seen` : ''
    }`,
    advice: adviceFor(exchange, request, other),
  });
}

function adviceFor({ exchangeType }: TrackedExchange, request: TrackedMessage, other: string): string {
  if (exchangeType === ExchangeType.IKE_SA_INIT) {
    return `Is ${other} the right address, its daemon running, UDP 500 and 4500 open on the way? Some peers answer nothing to strangers.`;
  }
  if (exchangeType === ExchangeType.IKE_AUTH) {
    const large = request.octets > onePacketBytes && request.fragmentsTotal === 1;
    return large
      ? `The message has ${request.octets} octets and is cut by IP: a firewall that drops fragments would explain it. Use IKE fragmentation (RFC 7383, fragmentation = yes) or smaller certificates.`
      : `UDP 4500 may be blocked where 500 is open, or ${other} drops what it cannot authenticate: its log knows.`;
  }
  return `${other} lost the IKE SA, is down, or the path is: see what it sends next.`;
}
