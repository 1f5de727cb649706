// Exchanges that were opened with keys: who authenticated how, which Child SAs were made, rekeyed, refused and deleted.
import { formatSpi, formatSuite, isNegotiableSpi } from '#sa';
import {
  type DeletePayload,
  ExchangeType,
  ikeSpiFromBytes,
  NotifyType,
  type Payload,
  ProtocolId,
  readU32,
  type SaPayload,
  type TsPayload,
} from '#wire';
import { explainLimits } from '../limits.ts';
import type { ChildSaRow, Sighting } from '../story.ts';
import { duration } from '../words.ts';
import type { IkeContext } from './ike-context.ts';
import {
  authenticationText,
  errorNotify,
  hasNotify,
  identityText,
  notifies,
  notifyText,
  selectorText,
} from './payload-text.ts';
import { childSuiteOf, offerText, proposalText } from './proposal-text.ts';
import { otherRole, type TrackedExchange, TrackedIkeSa } from './tracked-ike-sa.ts';

interface Opened {
  readonly sa: TrackedIkeSa;
  readonly exchange: TrackedExchange;
  /** What the request holds; nothing if it was not captured or not opened. */
  readonly request: readonly Payload[];
  readonly response: readonly Payload[];
  readonly at: Sighting;
  readonly asker: string;
  readonly other: string;
}

export function answeredOpened(context: IkeContext, sa: TrackedIkeSa, exchange: TrackedExchange): void {
  const opened: Opened = {
    sa,
    exchange,
    request: exchange.request?.payloads ?? [],
    response: exchange.response?.payloads ?? [],
    at: exchange.request?.first ?? exchange.response?.first ?? sa.last,
    asker: sa.address(exchange.requester),
    other: sa.address(otherRole(exchange.requester)),
  };
  switch (exchange.exchangeType) {
    case ExchangeType.IKE_AUTH:
      authentication(opened);
      return;
    case ExchangeType.CREATE_CHILD_SA:
      creation(context, opened);
      return;
    case ExchangeType.INFORMATIONAL:
      information(opened);
      return;
  }
}

function saOf(payloads: readonly Payload[]): SaPayload | undefined {
  return payloads.find((payload): payload is SaPayload => payload.type === 'SA');
}

function selectorsOf(payloads: readonly Payload[], type: TsPayload['type']): string[] {
  const payload = payloads.find((one): one is TsPayload => one.type === type);
  return payload?.selectors.map(selectorText) ?? [];
}

function authentication(opened: Opened): void {
  const { sa, exchange, request, response, at } = opened;
  const { events, findings, silence } = sa.conversation;
  const initiatorIdentity = request.find((payload) => payload.type === 'IDi');
  if (initiatorIdentity?.type === 'IDi') sa.identities.initiator = identityText(initiatorIdentity);
  const responderIdentity = response.find((payload) => payload.type === 'IDr');
  if (responderIdentity?.type === 'IDr') sa.identities.responder = identityText(responderIdentity);
  // An IDr of the initiator is whom it wants to talk to.
  const wanted = request.find((payload) => payload.type === 'IDr');
  const [initiator, responder] = [sa.address('initiator'), sa.address('responder')];
  const whom = (role: 'initiator' | 'responder'): string =>
    sa.identities[role] === undefined ? sa.address(role) : `${sa.address(role)} (${sa.identities[role]})`;
  const error = errorNotify(response);
  const proved = response.some(({ type }) => type === 'AUTH');
  const crashDetection = (payloads: readonly Payload[]): boolean =>
    hasNotify(payloads, NotifyType.QUICK_CRASH_DETECTION);
  const side = sa.conversation.sideOf(sa.endpoints.initiator.address);
  silence.crashDetection[side] = silence.crashDetection[side] === true || crashDetection(request);
  silence.crashDetection[side === 0 ? 1 : 0] =
    silence.crashDetection[side === 0 ? 1 : 0] === true || crashDetection(response);
  if (error !== undefined && !proved) {
    sa.state = 'refused';
    events.tell(
      at,
      'auth-refused',
      `${whom('initiator')} authenticates; ${whom('responder')} refuses: ${notifyText(error)}`,
    );
    findings.find(exchange.response!.first, {
      code: 'auth-refused',
      severity: 'problem',
      about: sa.name,
      what: `${responder} refuses the authentication of ${whom('initiator')}: ${notifyText(error)}`,
      why: `the answer in frame ${exchange.response!.first.frame}; it came by ${authenticationText(request)}${
        wanted?.type === 'IDr' ? `, and wanted ${identityText(wanted)}` : ''
      }`,
      advice:
        error.notifyType === NotifyType.AUTHENTICATION_FAILED
          ? `Identity, secret or certificate differ: does ${responder} expect exactly this identity, and do both have the same secret, or a chain to an authority that both trust?`
          : `The log of ${responder} knows more.`,
    });
    return;
  }
  const initial = hasNotify(request, NotifyType.INITIAL_CONTACT) ? `; ${initiator} says INITIAL_CONTACT` : '';
  if (exchange.messageId === 1 || proved) {
    const [one, other] = [authenticationText(request), authenticationText(response)];
    const how = one === other ? one : `${one} and ${other}`;
    events.tell(
      at,
      'ike-auth',
      `${whom('initiator')} and ${whom('responder')} authenticate by ${how}${initial}`,
    );
  }
  const forgotten = initial === '' ? [] : standingBesides(sa);
  if (forgotten[0] !== undefined) {
    for (const one of forgotten) one.state = 'lost';
    findings.find(at, {
      code: 'restart-suspected',
      severity: 'notice',
      about: initiator,
      what: `${initiator} restarted, as it seems: it knows of no IKE SA with ${responder}, although one stood`,
      why: `INITIAL_CONTACT in frame ${at.frame}; ${forgotten[0].name} was last used in frame ${forgotten[0].last.frame}, and no Delete of it was seen`,
      advice: 'It lost its state. The other side may drop what it still holds (RFC 7296 2.4).',
    });
  }
  if (proved) sa.state = 'established';
  if (saOf(response) !== undefined || error !== undefined) child(opened, undefined);
}

/** IKE SAs of the same two that began earlier and had no end. */
function standingBesides(sa: TrackedIkeSa): TrackedIkeSa[] {
  return [...sa.conversation.ikeSas.values()].filter(
    (one) => one !== sa && one.state === 'established' && one.first.frame < sa.first.frame,
  );
}

function creation(context: IkeContext, opened: Opened): void {
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

function child(opened: Opened, rekeys: number | undefined): void {
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

function information({ sa, request, response, at, asker, other }: Opened): void {
  const { events, findings } = sa.conversation;
  const deletes = request.filter((payload): payload is DeletePayload => payload.type === 'D');
  const known = request.length + response.length;
  if (known === 0) {
    sa.livenessChecks++;
    return;
  }
  for (const { protocolId, spis } of [
    ...deletes,
    ...response.filter((one): one is DeletePayload => one.type === 'D'),
  ]) {
    if (protocolId === ProtocolId.IKE) {
      if (sa.state !== 'rekeyed') sa.state = 'deleted';
      events.tell(at, 'ike-sa-ends', `${asker} deletes ${sa.name}`);
      continue;
    }
    for (const spi of spis) if (spi.length === 4) endChild(sa, readU32(spi, 0), at);
  }
  const named = deletes.filter(({ protocolId }) => protocolId !== ProtocolId.IKE).flatMap(({ spis }) => spis);
  if (named.length > 0) {
    const list = named.slice(0, 4).map((spi) => (spi.length === 4 ? formatSpi(readU32(spi, 0)) : '?'));
    events.tell(
      at,
      'child-sa-ends',
      `${asker} deletes its SPI ${list.join(', ')}${named.length > 4 ? ' and more' : ''}`,
    );
  }
  const error = errorNotify(request);
  if (error !== undefined) {
    events.tell(at, 'error-notify', `${asker} says ${notifyText(error)} to ${other}`);
    findings.find(at, {
      code: error.notifyType === NotifyType.INVALID_SPI ? 'invalid-spi' : 'error-notify',
      severity: 'problem',
      about: `${asker} ${error.notifyType}`,
      what: `${asker} says ${notifyText(error)} to ${other}, within the IKE SA`,
      why: `INFORMATIONAL in frame ${at.frame}`,
      advice:
        error.notifyType === NotifyType.INVALID_SPI
          ? `${other} sends on a Child SA that ${asker} does not have: rekey or delete it.`
          : error.notifyType === NotifyType.AUTHENTICATION_FAILED
            ? `${asker} does not accept the proof of ${other}: identity, secret or certificate differ.`
            : `The log of ${asker} knows more.`,
    });
  }
  if (hasNotify(request, NotifyType.UPDATE_SA_ADDRESSES)) {
    events.tell(at, 'mobike', `${asker} moves the SAs to its present address (MOBIKE)`);
  }
}

function endChild(sa: TrackedIkeSa, spi: number, at: Sighting): void {
  for (const one of sa.conversation.ikeSas.values()) {
    for (const each of one.children) {
      if (each.initiatorSpi === spi || each.responderSpi === spi) each.ended ??= { ...at };
    }
  }
  if (!isNegotiableSpi(spi)) return;
  for (const flow of sa.conversation.flows.values()) {
    // A Delete names the SPI of its sender's inbound SA: whoever sends there must stop.
    if (flow.spi === spi) flow.deleted ??= { ...at };
  }
}
