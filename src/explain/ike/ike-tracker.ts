// IKE messages become IKE SAs and their exchanges: who asks what, what is answered, repeated, or never answered.
import type { IpAddress } from '#sa';
import {
  decodeIkeHeader,
  decodeIkeMessage,
  exchangeTypeName,
  type IkeMessage,
  type Payload,
  type ReceivedIkeHeader,
  WireError,
  zeroIkeSpi,
} from '#wire';
import type { Conversation } from '../conversation.ts';
import type { Datagram } from '../ingress/datagram.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Sighting } from '../story.ts';
import { followEndpoint } from './endpoints.ts';
import { concludeExchange } from './exchange-end.ts';
import { isInit } from './exchange-kind.ts';
import type { AcceptedOffer, IkeContext } from './ike-context.ts';
import { answeredInit } from './init-exchange.ts';
import {
  begin,
  exchangeKey,
  hashOf,
  headerAlone,
  repeat,
  withoutOctets,
  withTexts,
} from './message-tracking.ts';
import { answeredOpened } from './opened-exchange.ts';
import { openSealed } from './sealed.ts';
import { answeredSealed } from './sealed-exchange.ts';
import {
  type IkeRole,
  otherRole,
  TrackedIkeSa,
  type TrackedMessage,
  trackedMessage,
} from './tracked-ike-sa.ts';
import { unprotectedMessage } from './unprotected.ts';
import { tellUnseen } from './unseen.ts';

const acceptsMax = 512;
/** The same message again so soon was captured twice. */
const twiceWithinUs = 5_000;
const recentMessages = 64;

export class IkeTracker implements IkeContext {
  readonly accepts: Map<IpAddress, AcceptedOffer> = new Map<IpAddress, AcceptedOffer>();
  readonly #keys: KeyRing;
  readonly #sas = new Map<string, TrackedIkeSa>();
  readonly #recent: { hash: number; atUs: number; from: string }[] = [];
  #recentAt = 0;

  constructor(keys: KeyRing) {
    this.#keys = keys;
  }

  /** The conversation that held it has no room for it any more. */
  forget(sa: TrackedIkeSa): void {
    this.#sas.delete(`${sa.initiatorSpi} ${sa.responderSpi}`);
    this.#sas.delete(`${sa.initiatorSpi} ${zeroIkeSpi}`);
  }

  adopt(sa: TrackedIkeSa): void {
    this.#sas.set(`${sa.initiatorSpi} ${sa.responderSpi}`, sa);
    sa.conversation.ikeSas.set(`${sa.initiatorSpi} ${sa.responderSpi}`, sa);
  }

  /** @returns an error if the message cannot be read */
  message(conversation: Conversation, datagram: Datagram): WireError | undefined {
    const { at } = datagram;
    try {
      // A copy, because offers and selectors are kept.
      const octets = datagram.octets.slice();
      const header = decodeIkeHeader(octets);
      if (header.majorVersion === 1) return this.#version1(conversation, at, header);
      const cut = datagram.lengthBytes > octets.length && octets.length < header.length;
      const message = cut ? headerAlone(octets, header) : decodeIkeMessage(octets);
      this.#read(conversation, datagram, message, cut);
      return undefined;
    } catch (error) {
      if (error instanceof WireError) return error;
      throw error;
    }
  }

  end(conversation: Conversation, lastUs: number): void {
    for (const sa of conversation.ikeSas.values()) {
      for (const exchange of sa.exchanges.values()) concludeExchange(sa, exchange, lastUs);
      if (sa.likelyDelete === undefined || sa.state !== 'established') continue;
      sa.state = 'deleted';
      conversation.events.tell(sa.likelyDelete, 'ike-sa-ends', `${sa.name} likely ends by a Delete (sealed)`);
    }
  }

  #version1(conversation: Conversation, at: Sighting, header: ReceivedIkeHeader): undefined {
    const modes: Readonly<Record<number, string>> = {
      2: 'Main Mode',
      4: 'Aggressive Mode',
      32: 'Quick Mode',
    };
    const mode = modes[header.exchangeType] ?? 'ISAKMP';
    conversation.findings.find(at, {
      code: 'ikev1',
      severity: 'notice',
      what: `these two speak IKEv1 (${mode})`,
      why: 'the major version in the header is 1',
      advice:
        'Only IKEv2 is explained here. IKEv1 is historic (RFC 9395): move both sides to IKEv2 (version = 2).',
    });
    return undefined;
  }

  #isTwice(conversation: Conversation, { at, octets, source }: Datagram): boolean {
    const hash = hashOf(octets);
    const from = source.address;
    const before = this.#recent.find((one) => one.hash === hash && at.atUs - one.atUs < twiceWithinUs);
    this.#recent[this.#recentAt] = { hash, atUs: at.atUs, from };
    this.#recentAt = (this.#recentAt + 1) % recentMessages;
    if (before === undefined) return false;
    const translated = before.from !== from;
    conversation.findings.find(at, {
      code: translated ? 'both-sides-of-nat' : 'captured-twice',
      severity: 'note',
      about: 'ike',
      what: translated
        ? 'the same messages appear with two pairs of addresses'
        : 'messages appear twice within milliseconds',
      why: translated
        ? `from ${before.from} and from ${from}`
        : `frame ${at.frame} repeats the octets before it`,
      advice: translated
        ? 'The capture sees both sides of a NAT: read the conversation of one side, the other is its shadow.'
        : 'Most likely one frame seen on two devices (tcpdump -i any). They are counted once.',
    });
    return true;
  }

  #read(conversation: Conversation, datagram: Datagram, message: IkeMessage, cut: boolean): void {
    const { at, source, destination } = datagram;
    const { header, payloads } = message;
    const isSealed = ['SK', 'SKF'].includes(payloads.at(-1)?.type ?? '');
    const begins = isInit(header.exchangeType);
    const side = conversation.sideOf(source.address);
    if (!isSealed && !begins && !cut) {
      const known = this.#sas.get(`${header.initiatorSpi} ${header.responderSpi}`);
      unprotectedMessage(conversation, datagram, message, known);
      return;
    }
    if (this.#isTwice(conversation, datagram)) return;
    const spoken = `${begins ? 'init' : 'ike'}-${header.response ? 'response' : 'request'}` as const;
    const role: IkeRole = header.initiator ? 'initiator' : 'responder';
    const sa = this.#saOf(conversation, datagram, header);
    // What an SA that the other side forgot goes on asking is no news of anybody.
    if (sa.state !== 'lost' || header.response) conversation.silence.heard(side, at, spoken);
    sa.messages++;
    sa.last = { frame: at.frame, atUs: at.atUs };
    sa.likelyDelete = undefined;
    if (sa.state === 'lost' && header.response) sa.state = 'established';
    const passed = { at, here: conversation };
    followEndpoint(sa, role, source, passed);
    followEndpoint(sa, otherRole(role), destination, passed);
    const payloadsNow = isSealed ? this.#open(sa, role, message) : { payloads };
    if (header.response) this.#response(sa, otherRole(role), datagram, message, payloadsNow);
    else this.#request(sa, role, datagram, message, payloadsNow);
  }

  #saOf(
    conversation: Conversation,
    datagram: Datagram,
    header: ReceivedIkeHeader | IkeMessage['header'],
  ): TrackedIkeSa {
    const { initiatorSpi, responderSpi } = header;
    const key = `${initiatorSpi} ${responderSpi}`;
    const half = `${initiatorSpi} ${zeroIkeSpi}`;
    const known = this.#sas.get(key);
    if (known !== undefined) return known;
    const begun = isInit(header.exchangeType) ? this.#sas.get(half) : undefined;
    if (begun !== undefined) {
      // The response names the other half. Refusals and cookies leave it zero.
      if (begun.responderSpi === zeroIkeSpi) {
        begun.responderSpi = responderSpi;
        this.#sas.set(key, begun);
      }
      return begun;
    }
    const { source, destination, at } = datagram;
    const endpoints = header.initiator
      ? { initiator: source, responder: destination }
      : { initiator: destination, responder: source };
    const state = isInit(header.exchangeType) ? 'asked' : 'unseen';
    const sa = new TrackedIkeSa(conversation, header, endpoints, at, state);
    this.#sas.set(key, sa);
    conversation.ikeSas.set(key, sa);
    if (state === 'unseen') tellUnseen(sa, at);
    return sa;
  }

  #open(
    sa: TrackedIkeSa,
    role: IkeRole,
    message: IkeMessage,
  ): { payloads?: readonly Payload[]; texts?: TrackedMessage['texts'] } {
    const ciphers = this.#keys.ike(sa.initiatorSpi, sa.responderSpi);
    sa.sealed++;
    if (ciphers === undefined) return {};
    const { response, messageId, exchangeType } = message.header;
    const requester = response ? otherRole(role) : role;
    const exchange = sa.exchanges.get(exchangeKey(requester, messageId));
    const begun = response ? exchange?.response : exchange?.request;
    const texts = begun?.texts ?? trackedMessage(sa.last, 0, []).texts;
    const opened = openSealed(message, ciphers[role], texts);
    if (opened.kind === 'forged' || opened.kind === 'unreadable') {
      sa.conversation.findings.find(sa.last, {
        code: opened.kind === 'forged' ? 'ike-icv-wrong' : 'ike-unreadable-inside',
        severity: 'problem',
        about: sa.name,
        what: `a message of ${sa.name} ${opened.kind === 'forged' ? 'does not open with the key given' : 'opens, but makes no sense'}`,
        why: `${exchangeTypeName(exchangeType)} ${messageId} in frame ${sa.last.frame}`,
        advice:
          'The keys belong to other SPIs or a wrong suite, or the message was damaged or forged on the way.',
      });
      return { texts };
    }
    sa.sealed--;
    sa.opened++;
    return opened.kind === 'opened' ? { payloads: opened.payloads, texts } : { texts };
  }

  #request(
    sa: TrackedIkeSa,
    requester: IkeRole,
    { at }: Datagram,
    message: IkeMessage,
    read: { payloads?: readonly Payload[]; texts?: TrackedMessage['texts'] },
  ): void {
    const { messageId, exchangeType } = message.header;
    const begins = isInit(exchangeType);
    const key = begins ? `${messageId} ${hashOf(message.octets)}` : exchangeKey(requester, messageId);
    let exchange = sa.exchanges.get(key);
    if (exchange?.request === undefined) {
      exchange ??= begin(messageId, exchangeType, requester);
      exchange.request = withTexts(trackedMessage(at, message.octets.length, message.payloads), read.texts);
      const evicted = sa.remember(key, exchange);
      if (evicted !== undefined) concludeExchange(sa, evicted, undefined);
    } else if (repeat(exchange.request, message, at)) {
      sa.retransmissions++;
      if (exchange.response !== undefined) exchange.triesAfterResponse++;
    }
    if (read.payloads !== undefined && !exchange.concluded) exchange.request.payloads = read.payloads;
    if (begins) {
      sa.init = exchange;
      const offer = message.payloads.find((payload) => payload.type === 'SA');
      if (offer?.type === 'SA') {
        sa.offered = offer.proposals.map(withoutOctets);
        this.#remember(sa.endpoints.initiator.address, { ...sa.last, proposals: sa.offered });
      }
    }
  }

  #remember(address: IpAddress, offer: AcceptedOffer): void {
    if (this.accepts.size < acceptsMax || this.accepts.has(address)) this.accepts.set(address, offer);
  }

  #response(
    sa: TrackedIkeSa,
    requester: IkeRole,
    { at, source, destination }: Datagram,
    message: IkeMessage,
    read: { payloads?: readonly Payload[]; texts?: TrackedMessage['texts'] },
  ): void {
    const { messageId, exchangeType } = message.header;
    const begins = isInit(exchangeType);
    const key = exchangeKey(requester, messageId);
    let exchange = begins ? sa.init : sa.exchanges.get(key);
    if (exchange === undefined) {
      exchange = begin(messageId, exchangeType, requester);
      if (begins) sa.init = exchange;
      const evicted = sa.remember(key, exchange);
      if (evicted !== undefined) concludeExchange(sa, evicted, undefined);
    }
    const isFirst = exchange.response === undefined;
    if (isFirst) {
      exchange.response = withTexts(trackedMessage(at, message.octets.length, message.payloads), read.texts);
    } else if (repeat(exchange.response!, message, at)) sa.retransmissions++;
    const response = exchange.response!;
    if (read.payloads !== undefined && !exchange.concluded) response.payloads = read.payloads;
    const complete = response.fragmentsSeen.size >= response.fragmentsTotal || response.fragmentsTotal === 1;
    if (exchange.concluded || !complete) return;
    exchange.concluded = true;
    if (begins) {
      const accepted = answeredInit(this, sa, exchange, message, source, destination);
      if (accepted !== undefined) {
        this.#remember(source.address, {
          frame: at.frame,
          atUs: at.atUs,
          proposals: [withoutOctets(accepted)],
        });
      }
    } else if (response.payloads !== undefined) answeredOpened(this, sa, exchange);
    else answeredSealed(sa, exchange);
    // All that has to be known of it is told, and its octets may go.
    response.payloads = undefined;
    if (exchange.request !== undefined) exchange.request.payloads = undefined;
  }
}
