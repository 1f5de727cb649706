// IKE_SA_INIT and IKE_SESSION_RESUME, which anybody can read: what was offered, what was chosen, and why nothing was.
import type { Endpoint } from '#sa';
import {
  ExchangeType,
  type IkeMessage,
  type NotifyPayload,
  NotifyType,
  type Payload,
  readU16,
  TransformType,
  type WireProposal,
  zeroIkeSpi,
} from '#wire';
import { duration } from '../words.ts';
import type { IkeContext } from './ike-context.ts';
import { natHashes } from './nat.ts';
import { errorNotify, hasNotify, notifyText } from './payload-text.ts';
import {
  briefOfferText,
  ikeSuiteOf,
  nothingInCommon,
  offerText,
  onlyWeak,
  proposalText,
  transformText,
  transformTypeNames,
} from './proposal-text.ts';
import type { TrackedExchange, TrackedIkeSa } from './tracked-ike-sa.ts';

/** @returns the proposal that the responder accepted, if it did */
export function answeredInit(
  context: IkeContext,
  sa: TrackedIkeSa,
  exchange: TrackedExchange,
  message: IkeMessage,
  source: Endpoint,
  destination: Endpoint,
): WireProposal | undefined {
  const { payloads } = message;
  const request = exchange.request?.payloads ?? [];
  judgeNat(sa, exchange, message, source, destination);
  const cookie = hasNotify(payloads, NotifyType.COOKIE);
  const error = errorNotify(payloads);
  const chosen = payloads.find((payload) => payload.type === 'SA');
  if (error !== undefined) refused(context, sa, exchange, error);
  else if (cookie) {
    tell(
      sa,
      exchange,
      'cookie',
      `${asks(sa, exchange, request)}; ${sa.address('responder')} wants a cookie first`,
    );
    sa.conversation.findings.find(sa.last, {
      code: 'cookie',
      severity: 'note',
      about: sa.address('responder'),
      what: `${sa.address('responder')} demands cookies`,
      why: `a COOKIE notify in frame ${sa.last.frame}`,
      advice: 'It has many half-open IKE SAs: an attack, a scanner, or many clients that reconnect at once.',
    });
  } else if (exchange.exchangeType === ExchangeType.IKE_SESSION_RESUME) {
    const nack = hasNotify(payloads, NotifyType.TICKET_NACK);
    sa.state = nack ? 'refused' : 'half-open';
    const answer = nack ? 'refuses the ticket' : 'takes the ticket';
    tell(
      sa,
      exchange,
      'resume',
      `${sa.address('initiator')} resumes with a ticket; ${sa.address('responder')} ${answer}`,
    );
  } else if (chosen?.type === 'SA' && chosen.proposals[0] !== undefined) {
    accepted(sa, exchange, request, chosen.proposals[0]);
    return chosen.proposals[0];
  }
  return undefined;
}

function tell(sa: TrackedIkeSa, exchange: TrackedExchange, code: string, text: string): void {
  sa.conversation.events.tell(exchange.request?.first ?? sa.last, code, text);
}

function asks(sa: TrackedIkeSa, exchange: TrackedExchange, request: readonly Payload[]): string {
  const [initiator, responder] = [sa.address('initiator'), sa.address('responder')];
  if (exchange.request === undefined)
    return `${initiator} asked ${responder} for an IKE SA (not in the capture)`;
  const offer = sa.offered === undefined ? 'nothing that can be read' : briefOfferText(sa.offered);
  const key = request.find((payload) => payload.type === 'KE');
  const group = key?.type === 'KE' ? ` with a key for ${groupText(key.group)}` : '';
  const again = hasNotify(request, NotifyType.COOKIE) ? ', now with the cookie' : '';
  return `${initiator} asks ${responder} for an IKE SA, offers ${offer}${group}${again}`;
}

function groupText(id: number): string {
  return transformText({ type: TransformType.KE, id, attributes: [] });
}

function accepted(
  sa: TrackedIkeSa,
  exchange: TrackedExchange,
  request: readonly Payload[],
  chosen: WireProposal,
): void {
  sa.state = 'half-open';
  sa.suite = ikeSuiteOf(chosen);
  sa.suiteText = proposalText(chosen);
  const tookUs = (exchange.response?.first.atUs ?? 0) - (exchange.request?.first.atUs ?? 0);
  const took = exchange.request === undefined ? '' : ` after ${duration(tookUs)}`;
  tell(
    sa,
    exchange,
    'ike-sa-init',
    `${asks(sa, exchange, request)}; ${sa.address('responder')} takes ${sa.suiteText}${took}`,
  );
  const weak = onlyWeak([chosen]);
  if (weak.length > 0) {
    sa.conversation.findings.find(sa.last, {
      code: 'weak-algorithm',
      severity: 'notice',
      about: weak.join(' '),
      what: `the two agree on ${weak.join(', ')}`,
      why: `${sa.address('responder')} chose it in frame ${sa.last.frame}`,
      advice: 'RFC 8247 says that it must not be used: leave it out of the proposals of both sides.',
    });
  }
}

function refused(
  context: IkeContext,
  sa: TrackedIkeSa,
  exchange: TrackedExchange,
  error: NotifyPayload,
): void {
  const request = exchange.request?.payloads ?? [];
  const asking = asks(sa, exchange, request);
  const responder = sa.address('responder');
  if (error.notifyType === NotifyType.INVALID_KE_PAYLOAD) {
    otherMethod(sa, exchange, error, asking);
    return;
  }
  sa.state = 'refused';
  tell(sa, exchange, 'refused', `${asking}; ${responder} refuses: ${notifyText(error)}`);
  if (error.notifyType !== NotifyType.NO_PROPOSAL_CHOSEN) {
    sa.conversation.findings.find(sa.last, {
      code: 'init-refused',
      severity: 'problem',
      about: `${responder} ${error.notifyType}`,
      what: `${responder} refuses an IKE SA: ${notifyText(error)}`,
      why: `the answer in frame ${sa.last.frame}`,
      advice:
        error.notifyType === NotifyType.INVALID_MAJOR_VERSION
          ? 'It does not speak IKEv2: set its version.'
          : `The log of ${responder} knows more.`,
    });
    return;
  }
  const offered = sa.offered ?? [];
  const known = context.accepts.get(sa.endpoints.responder.address);
  const differences = known === undefined ? [] : nothingInCommon(offered, known.proposals);
  const weak = onlyWeak(offered);
  const why = differences.map(
    ({ type, one, other }) =>
      `no ${transformTypeNames[type]} in common: ${one} is offered, and ${responder} itself was seen to use ${other} (frame ${known!.frame})`,
  );
  sa.conversation.findings.find(sa.last, {
    code: 'no-proposal-chosen',
    severity: 'problem',
    about: responder,
    what: `${responder} takes none of the IKE proposals of ${sa.address('initiator')}`,
    why: `NO_PROPOSAL_CHOSEN in frame ${sa.last.frame}; offered: ${offerText(offered)}${why.map((one) => `; ${one}`).join('')}`,
    advice:
      weak.length > 0
        ? `${weak.join(', ')} alone is offered, which most refuse as broken: offer something of today, for example aes256gcm16-prfsha384-ecp384.`
        : `One of these must stand in the proposals of ${responder} word for word, each part of it. The same answer comes if it has no connection for these two addresses at all: its log tells which.`,
  });
}

/** RFC 7296 1.2: the initiator guessed a key exchange method, and the responder wants another of the offer. */
function otherMethod(
  sa: TrackedIkeSa,
  exchange: TrackedExchange,
  error: NotifyPayload,
  asking: string,
): void {
  const wanted = error.data.length === 2 ? groupText(readU16(error.data, 0)) : 'another one';
  const responder = sa.address('responder');
  sa.otherMethodAsked++;
  tell(sa, exchange, 'invalid-ke', `${asking}; ${responder} wants ${wanted} instead`);
  const loops = sa.otherMethodAsked > 1;
  sa.conversation.findings.find(sa.last, {
    code: loops ? 'invalid-ke-loop' : 'invalid-ke',
    severity: loops ? 'problem' : 'note',
    about: responder,
    what: loops
      ? `${responder} asks for ${wanted} again and again`
      : `the first key was for a method that ${responder} does not prefer; it wants ${wanted}`,
    why: `INVALID_KE_PAYLOAD in frame ${sa.last.frame}`,
    advice: loops
      ? 'The initiator cannot or does not send that method: the proposals of both sides must share one.'
      : `It costs a round trip each time: put ${wanted} first in the proposals of ${sa.address('initiator')}.`,
  });
}

function judgeNat(
  sa: TrackedIkeSa,
  exchange: TrackedExchange,
  response: IkeMessage,
  source: Endpoint,
  destination: Endpoint,
): void {
  // Refusals and cookies are stateless, and mostly carry no hashes.
  if (!response.payloads.some(({ type }) => type === 'SA')) return;
  const answer = natHashes(response.header, response.payloads, source, destination);
  const asked = exchange.request?.payloads;
  // In the request the responder's SPI is not known yet.
  const header = { ...response.header, responderSpi: zeroIkeSpi };
  const ask = asked === undefined ? undefined : natHashes(header, asked, destination, source);
  const facts: string[] = [];
  const [initiator, responder] = [sa.address('initiator'), sa.address('responder')];
  if (ask?.source === false) facts.push(`${initiator} sends from another address or port than is seen here`);
  if (answer.destination === false)
    facts.push(`${responder} answers to another address or port than is seen here`);
  if (answer.source === false) facts.push(`${responder} is at another address or port than is seen here`);
  if (ask?.destination === false) facts.push(`${initiator} knows ${responder} by another address or port`);
  if (facts.length > 0) {
    sa.conversation.findings.find(exchange.request?.first ?? sa.last, {
      code: 'nat',
      severity: 'note',
      about: initiator,
      what: `a NAT between ${initiator} and ${responder}, or encapsulation by demand`,
      why: `NAT detection: ${facts.join('; ')}`,
      advice:
        'ESP goes in UDP 4500. A side with encap = yes says this on purpose; else keep the mapping alive by NAT keepalives.',
    });
  }
  const any = [ask?.source, answer.source].some((one) => one !== undefined);
  if (!any && asked !== undefined) {
    sa.conversation.findings.find(sa.last, {
      code: 'no-nat-detection',
      severity: 'note',
      about: sa.name,
      what: 'no NAT detection in IKE_SA_INIT',
      why: `neither side sends NAT_DETECTION notifies (frame ${sa.last.frame})`,
      advice: 'ESP will not pass a NAT between these two.',
    });
  }
}
