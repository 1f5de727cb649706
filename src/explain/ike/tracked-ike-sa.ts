// What is known of one IKE SA of the capture, and of its latest exchanges.
import { type Endpoint, formatEndpoint, type IkeSuite } from '#sa';
import { type IkeSpi, type Payload, type WireProposal, zeroIkeSpi } from '#wire';
import type { Conversation } from '../conversation.ts';
import { explainLimits } from '../limits.ts';
import type { ChildSaRow, IkeSaRow, IkeSaState, Sighting } from '../story.ts';
import type { TrackedEap } from './opened-eap.ts';
import { FragmentTexts } from './sealed.ts';

export type IkeRole = 'initiator' | 'responder';

export function otherRole(role: IkeRole): IkeRole {
  return role === 'initiator' ? 'responder' : 'initiator';
}

/** One half of an exchange. */
export interface TrackedMessage {
  readonly first: Sighting;
  last: Sighting;
  /** How often it was sent; fragments of one message count once. */
  tries: number;
  readonly octets: number;
  /** Octets of the sealed body; undefined: nothing was sealed. */
  readonly bodyBytes: number | undefined;
  /** What could be read, in the clear or with keys. */
  payloads: readonly Payload[] | undefined;
  readonly texts: FragmentTexts;
  readonly fragmentsTotal: number;
  readonly fragmentsSeen: Set<number>;
}

export interface TrackedExchange {
  readonly messageId: number;
  readonly exchangeType: number;
  readonly requester: IkeRole;
  /** Undefined: the capture does not have it. */
  request: TrackedMessage | undefined;
  response: TrackedMessage | undefined;
  /** Requests that were repeated although the response had passed. */
  triesAfterResponse: number;
  concluded: boolean;
}

/** A Child SA that was read, by the sides of the exchange that made it. */
export interface TrackedChild {
  readonly initiatorSpi: number;
  readonly responderSpi: number;
  readonly row: Omit<ChildSaRow, 'ended'>;
  ended: Sighting | undefined;
  rekeyed: boolean;
}

export class TrackedIkeSa {
  readonly conversation: Conversation;
  readonly initiatorSpi: IkeSpi;
  responderSpi: IkeSpi;
  readonly endpoints: Record<IkeRole, Endpoint>;
  state: IkeSaState;
  readonly first: Sighting;
  last: Sighting;
  offered: readonly WireProposal[] | undefined;
  suite: IkeSuite | undefined;
  suiteText: string | undefined;
  readonly identities: Partial<Record<IkeRole, string>> = {};
  /** The initiator wants EAP, and the responder has proven itself. */
  eap: TrackedEap | undefined;
  messages = 0;
  retransmissions = 0;
  opened = 0;
  sealed = 0;
  /** Liveness checks that were answered. */
  livenessChecks = 0;
  /** The last sealed INFORMATIONAL that was not empty, until anything follows on the SA. */
  likelyDelete: Sighting | undefined;
  readonly children: TrackedChild[] = [];
  readonly exchanges: Map<string, TrackedExchange> = new Map<string, TrackedExchange>();
  /** The IKE_SA_INIT (or IKE_SESSION_RESUME) that was sent last. */
  init: TrackedExchange | undefined;
  /** How often the responder wanted another key exchange method. */
  otherMethodAsked = 0;

  constructor(
    conversation: Conversation,
    spis: { readonly initiatorSpi: IkeSpi; readonly responderSpi: IkeSpi },
    endpoints: Record<IkeRole, Endpoint>,
    at: Sighting,
    state: IkeSaState,
  ) {
    this.conversation = conversation;
    this.initiatorSpi = spis.initiatorSpi;
    this.responderSpi = spis.responderSpi;
    this.endpoints = endpoints;
    this.first = { frame: at.frame, atUs: at.atUs };
    this.last = this.first;
    this.state = state;
  }

  /** As charon's log names it. */
  get name(): string {
    const responder = this.responderSpi === zeroIkeSpi ? '' : ` ${this.responderSpi}_r`;
    return `IKE SA ${this.initiatorSpi}_i${responder}`;
  }

  address(role: IkeRole): string {
    return this.endpoints[role].address;
  }

  /** @returns the exchange that had to make room, if one had to */
  remember(key: string, exchange: TrackedExchange): TrackedExchange | undefined {
    this.exchanges.set(key, exchange);
    if (this.exchanges.size <= explainLimits.exchanges) return undefined;
    const [oldest] = this.exchanges;
    this.exchanges.delete(oldest![0]);
    return oldest![1];
  }

  row(): IkeSaRow {
    const { identities } = this;
    return {
      initiator: formatEndpoint(this.endpoints.initiator),
      responder: formatEndpoint(this.endpoints.responder),
      initiatorSpi: this.initiatorSpi,
      responderSpi: this.responderSpi,
      state: this.state,
      first: this.first,
      last: this.last,
      ...(this.suiteText === undefined ? {} : { suite: this.suiteText }),
      ...(identities.initiator === undefined ? {} : { initiatorIdentity: identities.initiator }),
      ...(identities.responder === undefined ? {} : { responderIdentity: identities.responder }),
      messages: this.messages,
      retransmissions: this.retransmissions,
      opened: this.opened,
      sealed: this.sealed,
    };
  }
}

export function trackedMessage(at: Sighting, octets: number, payloads: readonly Payload[]): TrackedMessage {
  const last = payloads.at(-1);
  const sealed = last?.type === 'SK' || last?.type === 'SKF' ? last : undefined;
  const sighting = { frame: at.frame, atUs: at.atUs };
  return {
    first: sighting,
    last: sighting,
    tries: 1,
    octets,
    bodyBytes: sealed?.body.length,
    payloads: sealed === undefined ? payloads : undefined,
    texts: new FragmentTexts(),
    fragmentsTotal: sealed?.type === 'SKF' ? sealed.totalFragments : 1,
    fragmentsSeen: new Set(sealed?.type === 'SKF' ? [sealed.fragmentNumber] : []),
  };
}
