// CREATE_CHILD_SA, and the Child SA of IKE_AUTH: what is made, rekeyed and refused.
import { formatSpi, formatSuite } from '#sa';
import { ikeSpiFromBytes, NotifyType, ProtocolId, readU32, type SaPayload } from '#wire';
import { explainLimits } from '../limits.ts';
import type { ChildSaRow, Sighting } from '../story.ts';
import { duration } from '../words.ts';
import type { IkeContext } from './ike-context.ts';
import { type Opened, saOf, selectorsOf } from './opened.ts';
import { errorNotify, hasNotify, notifies, notifyText } from './payload-text.ts';
import { childSuiteOf, offerText, proposalText } from './proposal-text.ts';
import { otherRole, TrackedIkeSa } from './tracked-ike-sa.ts';

export function creation(context: IkeContext, opened: Opened): void {
  const { request, response } = opened;
  const offer = saOf(request) ?? saOf(response);
  const rekeyed = notifies(request).find(({ notifyType }) => notifyType === NotifyType.REKEY_SA);
  if (offer?.proposals[0]?.protocolId === ProtocolId.IKE) {
    rekeyedIke(context, opened);
    return;
  }
  child(opened, rekeyed?.spi.length === 4 ? readU32(rekeyed.spi, 0) : undefined);
}

function rekeyedIke(context: IkeContext, opened: Opened): void {
  const { sa, exchange, request, response, at, asker, other } = opened;
  const { events } = sa.conversation;
  const offered = saOf(request)?.proposals;
  const chosen = saOf(response)?.proposals[0];
  const error = errorNotify(response);
  if (chosen === undefined || error !== undefined) {
    refused(opened, 'fresh keys for the IKE SA', offered);
    return;
  }
  const theirs = offered?.find(({ number }) => number === chosen.number) ?? offered?.[0];
  if (theirs?.spi.length !== 8 || chosen.spi.length !== 8) return;
  const spis = { initiatorSpi: ikeSpiFromBytes(theirs.spi), responderSpi: ikeSpiFromBytes(chosen.spi) };
  // Who asks for the new IKE SA is its initiator.
  const endpoints = {
    initiator: sa.endpoints[exchange.requester],
    responder: sa.endpoints[otherRole(exchange.requester)],
  };
  const successor = new TrackedIkeSa(sa.conversation, spis, endpoints, at, 'established');
  successor.suiteText = proposalText(chosen);
  const swapped = exchange.requester === 'responder';
  const [initiatorIdentity, responderIdentity] = swapped
    ? [sa.identities.responder, sa.identities.initiator]
    : [sa.identities.initiator, sa.identities.responder];
  if (initiatorIdentity !== undefined) successor.identities.initiator = initiatorIdentity;
  if (responderIdentity !== undefined) successor.identities.responder = responderIdentity;
  if (sa.state === 'rekeyed') collision(sa, 'the IKE SA', at);
  sa.state = 'rekeyed';
  context.adopt(successor);
  events.tell(
    at,
    'ike-sa-rekeyed',
    `${asker} rekeys the IKE SA with ${other}: ${successor.name} takes over (${successor.suiteText})`,
  );
}

export function child(opened: Opened, rekeys: number | undefined): void {
  const { sa, exchange, request, response, at, asker, other } = opened;
  const offered = saOf(request)?.proposals;
  const chosen = saOf(response)?.proposals[0];
  const error = errorNotify(response);
  const what = rekeys === undefined ? 'a Child SA' : `fresh keys for SPI ${formatSpi(rekeys)}`;
  if (chosen === undefined || error !== undefined) {
    refused(opened, what, offered);
    return;
  }
  const theirs = offered?.find(({ number }) => number === chosen.number) ?? offered?.[0];
  const answer = childSuiteOf(chosen);
  const ask = theirs === undefined ? undefined : childSuiteOf(theirs);
  if (answer === undefined) return;
  const { suite } = answer;
  const row: Omit<ChildSaRow, 'ended'> = {
    protocol: suite.protocol,
    initiatorSpi: ask === undefined ? '?' : formatSpi(ask.spi),
    responderSpi: formatSpi(answer.spi),
    suite: formatSuite(suite),
    mode: hasNotify(response, NotifyType.USE_TRANSPORT_MODE) ? 'transport' : 'tunnel',
    initiatorSelectors: selectorsOf(response, 'TSi'),
    responderSelectors: selectorsOf(response, 'TSr'),
    made: at,
  };
  if (sa.children.length === explainLimits.children) sa.children.shift();
  sa.children.push({
    initiatorSpi: ask?.spi ?? 0,
    responderSpi: answer.spi,
    row,
    ended: undefined,
    rekeyed: false,
  });
  if (rekeys !== undefined) markRekeyed(sa, rekeys, at);
  const name = `${row.initiatorSpi}_i ${row.responderSpi}_r`;
  const selectors = `${row.initiatorSelectors.join(' ')} === ${row.responderSelectors.join(' ')}`;
  const tookUs = (exchange.response?.first.atUs ?? at.atUs) - at.atUs;
  const verb =
    rekeys === undefined
      ? `${asker} and ${other} make a Child SA`
      : `${asker} rekeys SPI ${formatSpi(rekeys)} with ${other}`;
  sa.conversation.events.tell(
    at,
    rekeys === undefined ? 'child-sa' : 'child-sa-rekeyed',
    `${verb}: ${suite.protocol.toUpperCase()} ${name}, ${row.suite}, ${row.mode}, ${selectors} (${duration(tookUs)})`,
  );
}

/** Both SPIs of a pair name the Child SA that gives way: one from each side means that both rekeyed it. */
function markRekeyed(sa: TrackedIkeSa, spi: number, at: Sighting): void {
  for (const { children } of sa.conversation.ikeSas.values()) {
    for (const one of children) {
      if (one.initiatorSpi !== spi && one.responderSpi !== spi) continue;
      if (one.rekeyed) collision(sa, 'a Child SA', at);
      one.rekeyed = true;
    }
  }
}

function collision(sa: TrackedIkeSa, what: string, at: Sighting): void {
  sa.conversation.findings.find(at, {
    code: 'rekey-collision',
    severity: 'note',
    about: what,
    what: `both sides rekeyed ${what} at once`,
    why: `the second exchange begins with frame ${at.frame}`,
    advice: 'One of the two new SAs is deleted (RFC 7296 2.8.1): all is well if traffic goes on.',
  });
}

/** A Child SA, or fresh keys, that the other side did not want to make. */
function refused(opened: Opened, what: string, offered: SaPayload['proposals'] | undefined): void {
  const { sa, exchange, request, response, at, asker, other } = opened;
  const error = errorNotify(response);
  const name = error === undefined ? 'no SA in the answer' : notifyText(error);
  sa.conversation.events.tell(at, 'child-refused', `${asker} asks ${other} for ${what}; refused: ${name}`);
  const passing = error?.notifyType === NotifyType.TEMPORARY_FAILURE;
  const chosenBefore = sa.children.at(-1)?.row.suite;
  sa.conversation.findings.find(exchange.response?.first ?? at, {
    code: error?.notifyType === NotifyType.NO_PROPOSAL_CHOSEN ? 'no-child-proposal-chosen' : 'child-refused',
    severity: passing ? 'note' : 'problem',
    about: `${asker} ${name}`,
    what: `${other} refuses ${what} of ${asker}: ${name}`,
    why: `frame ${exchange.response?.first.frame ?? at.frame}${offered === undefined ? '' : `; offered: ${offerText(offered)}`}${
      selectorsOf(request, 'TSi').length === 0
        ? ''
        : `; for ${selectorsOf(request, 'TSi').join(' ')} === ${selectorsOf(request, 'TSr').join(' ')}`
    }`,
    advice: refusalAdvice(error?.notifyType, other, chosenBefore),
  });
}

function refusalAdvice(notifyType: number | undefined, other: string, before: string | undefined): string {
  switch (notifyType) {
    case NotifyType.NO_PROPOSAL_CHOSEN:
      return before === undefined
        ? `One of the proposals must stand in the esp_proposals (or ah_proposals) of ${other}.`
        : `The first Child SA worked with ${before}: the proposals differ in the key exchange, which shows at a rekey only. Give both sides the same method, or none.`;
    case NotifyType.TS_UNACCEPTABLE:
      return `local_ts and remote_ts of the two sides must mirror each other, at least in part: compare those of ${other}.`;
    case NotifyType.TEMPORARY_FAILURE:
      return 'Both sides were at work on the same SA: it is tried again.';
    case NotifyType.NO_ADDITIONAL_SAS:
      return `${other} makes no more Child SAs on one IKE SA: a fresh IKE SA has to be made.`;
    case NotifyType.CHILD_SA_NOT_FOUND:
      return `${other} does not have the Child SA any more: the two sides differ about what stands.`;
    default:
      return `The log of ${other} knows more.`;
  }
}
