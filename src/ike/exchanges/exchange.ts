// Our own requests while they are under way: what each exchange must remember until its answer comes.
import type { KeyPair } from '#crypto';
import type { SaMode, SaProtocol, Spi, TrafficSelector } from '#sa';
import type { IkeSpi, WireProposal } from '#wire';
import type { ChildSa } from '../child-sas/child-sa.ts';
import type { ChildConfiguration } from '../configuration.ts';
import type { IkeFailure } from '../interface.ts';
import type { Path, PathCandidate } from '../mobility.ts';
import type { Task } from '../task.ts';

/** What we proposed for a Child SA. */
export interface ChildOffer {
  readonly configuration: ChildConfiguration;
  readonly childId: number;
  readonly generation: number;
  readonly protocol: SaProtocol;
  readonly mode: SaMode;
  readonly inboundSpi: Spi;
  readonly proposals: readonly WireProposal[];
  readonly local: readonly TrafficSelector[];
  readonly remote: readonly TrafficSelector[];
}

/**
 * Which of the IKE_AUTH exchanges with EAP one is (RFC 7296 C.3): the first, in which the gateway proves itself and begins EAP, those
 * that EAP takes, or the last, with AUTH of both ends.
 */
export type EapStage = 'first' | 'method' | 'last';

/** The first Child SA, in IKE_AUTH, uses the nonces of IKE_SA_INIT and no key exchange of its own. */
export interface IkeAuthExchange {
  readonly kind: 'ike-auth';
  /** Absent: without EAP, there is one exchange. */
  readonly eap?: EapStage;
  readonly offer?: ChildOffer;
}

export interface CreateChildExchange {
  readonly kind: 'create-child';
  readonly task: Task;
  readonly offer: ChildOffer;
  readonly nonce: Uint8Array;
  readonly keyPair?: KeyPair;
  /** The Child SA to be replaced. */
  readonly replaces?: ChildSa;
}

export interface RekeyIkeExchange {
  readonly kind: 'rekey-ike';
  readonly task: Task;
  readonly spi: IkeSpi;
  readonly proposals: readonly WireProposal[];
  readonly nonce: Uint8Array;
  readonly keyPair: KeyPair;
}

export interface DeleteChildExchange {
  readonly kind: 'delete-child';
  readonly inboundSpi: Spi;
  /** Absent if it was never installed here. */
  readonly child: ChildSa | undefined;
  readonly failure: IkeFailure;
}

export interface DeleteIkeExchange {
  readonly kind: 'delete-ike';
  readonly failure: IkeFailure;
}

/** RFC 7296 2.21.2: tells the responder that we do not believe its AUTH. */
export interface AuthenticationFailedExchange {
  readonly kind: 'authentication-failed';
  readonly failure: IkeFailure;
}

export interface NotifyExchange {
  readonly kind: 'notify';
}

export interface LivenessExchange {
  readonly kind: 'liveness';
}

/** RFC 4555 3.5: the IKE SA and its Child SAs are to follow us. */
export interface UpdateAddressesExchange {
  readonly kind: 'update-addresses';
  /** `Mobility.moves` when it was sent first: the answer to an earlier one says nothing. */
  readonly moves: number;
  /** Its COOKIE2, if the peer has yet to show that it is where it is asked. */
  readonly cookie?: Uint8Array;
}

/** RFC 4555 3.7: only somebody who is there answers with the COOKIE2. */
export interface CheckPathExchange {
  readonly kind: 'check-path';
  readonly candidate: PathCandidate;
  readonly cookie: Uint8Array;
}

export interface AnnounceAddressesExchange {
  readonly kind: 'announce-addresses';
}

export interface IkeSaInitExchange {
  readonly kind: 'ike-sa-init';
}

export interface IkeSessionResumeExchange {
  readonly kind: 'ike-session-resume';
}

/** RFC 5723 4.1: asks for a ticket in an INFORMATIONAL exchange. */
export interface TicketExchange {
  readonly kind: 'request-ticket';
  /** How often the peer has put us off before. */
  readonly postponements: number;
}

export type Exchange =
  | UpdateAddressesExchange
  | CheckPathExchange
  | AnnounceAddressesExchange
  | IkeSessionResumeExchange
  | TicketExchange
  | IkeSaInitExchange
  | IkeAuthExchange
  | CreateChildExchange
  | RekeyIkeExchange
  | DeleteChildExchange
  | DeleteIkeExchange
  | AuthenticationFailedExchange
  | NotifyExchange
  | LivenessExchange;

/** A request that waits for its answer, and the octets to send again until it comes. */
export interface OutstandingRequest {
  readonly messageId: number;
  readonly exchangeType: number;
  readonly exchange: Exchange;
  readonly datagrams: readonly Uint8Array[];
  readonly firstSentAt: number;
  /** When it was sent last. */
  sentAt: number;
  /** The first repetition is due, which is beside the others: see `transmission.ts`. */
  early?: true | undefined;
  /** Where else it went; an answer does not say which of the places it reached (RFC 4555 3.7). */
  strays?: readonly Path[];
  /** 0 is the first transmission. */
  attempt: number;
  /** When to send again, or to give up. */
  nextAt: number;
}
