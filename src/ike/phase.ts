// The life of one IKE SA as a union: each phase carries its own data and nothing else.
import type { KeyPair } from '#crypto';
import type { IkeSuite } from '#sa';
import type { IkeSpi, Payload } from '#wire';
import type { ConnectionConfiguration, Identity } from './configuration.ts';
import type { EapAuthenticator } from './eap/eap-authenticator.ts';
import type { EapPeer } from './eap/eap-peer.ts';
import type { IkeAuthExchange } from './exchanges/exchange.ts';
import type { PeerClaim } from './exchanges/ike-auth/peer-authentication.ts';
import type { IkeFailure, IkePhase } from './interface.ts';
import type { RequestOrigin } from './messages/transmission.ts';

/** Initiator: nothing is sent yet. */
export interface New {
  readonly name: 'new';
}

/** Initiator: IKE_SA_INIT is on its way (RFC 7296 1.2). */
export interface InitSent {
  readonly name: 'init-sent';
  readonly keyPair: KeyPair;
  readonly nonce: Uint8Array;
  /** RFC 7296 2.6: repeated in front of every further try. */
  readonly cookie?: Uint8Array;
  /** Groups tried so far, so that forged refusals cannot make us go round in circles. */
  readonly triedGroups: readonly number[];
  /** The request as sent: what AUTH will cover. */
  readonly request: Uint8Array;
  /** How often the request was changed on the word of an unauthenticated answer. */
  readonly corrections: number;
  /** The last unauthenticated error: the reason given if no better answer comes (RFC 7296 2.21.1). */
  readonly refusal?: IkeFailure;
}

/** Initiator: IKE_SESSION_RESUME is on its way (RFC 5723 4.3.2). */
export interface ResumeSent {
  readonly name: 'resume-sent';
  readonly ticket: Uint8Array;
  readonly suite: IkeSuite;
  /** SK_d of the IKE SA to be resumed: a copy of its own, wiped with this phase. */
  readonly skD: Uint8Array;
  readonly nonce: Uint8Array;
  readonly cookie?: Uint8Array;
  readonly request: Uint8Array;
  readonly corrections: number;
}

/** Both signed blobs of RFC 7296 2.15 without the identity part. */
export interface AuthenticationMaterial {
  readonly initRequest: Uint8Array;
  readonly initResponse: Uint8Array;
  readonly nonceInitiator: Uint8Array;
  readonly nonceResponder: Uint8Array;
}

/** Initiator: IKE_AUTH is on its way. */
export interface AuthSent extends AuthenticationMaterial {
  readonly name: 'auth-sent';
  readonly localIdentity: Identity;
  /** Another answer than the one that is gone on with has come. */
  readonly answeredTwice?: true;
}

/** Responder: IKE_SA_INIT is answered, nobody is authenticated. */
export interface HalfOpen extends AuthenticationMaterial {
  readonly name: 'half-open';
  readonly expiresAt: number;
  /** The request again, with another cookie, or one more or less: the last such. */
  readonly otherInitRequest?: Uint8Array;
  /** The answer, for a repeated IKE_SA_INIT request. */
  readonly initResponse: Uint8Array;
  /** Its IKE_AUTH request, which waits to be judged. */
  readonly held?: {
    readonly origin: RequestOrigin;
    readonly payloads: readonly Payload[];
    readonly until: number;
  };
}

/** A connection that the peer might have meant, and why it is not the one. */
export interface TriedClaim {
  readonly connection: ConnectionConfiguration;
  readonly failure: IkeFailure;
}

/** The request to answer, and what else it may be held against. */
export interface ValidatingResponder {
  readonly role: 'responder';
  readonly origin: RequestOrigin;
  readonly claims: readonly PeerClaim[];
  readonly tried: readonly TriedClaim[];
  /** A mark of what the claim is judged by (`TicketPort.mark`). */
  readonly credential: Uint8Array | undefined;
  readonly otherInitRequest?: Uint8Array;
}

/** The peer's certificate path is being validated; its IKE_AUTH message waits. */
export interface Validating extends AuthenticationMaterial {
  readonly name: 'validating';
  readonly computeId: number;
  readonly claim: PeerClaim;
  readonly payloads: readonly Payload[];
  readonly expiresAt: number;
  /** As initiator: our exchange that was answered. */
  readonly asker: { readonly role: 'initiator'; readonly exchange: IkeAuthExchange } | ValidatingResponder;
}

/** Initiator: the gateway is authenticated, and EAP authenticates us (RFC 7296 2.16). */
export interface EapPeering extends AuthenticationMaterial {
  readonly name: 'eap-peer';
  readonly localIdentity: Identity;
  readonly peerIdentity: Identity;
  readonly peer: EapPeer;
  /** What the gateway said in its first answer, beside who it is. */
  readonly notifies: readonly Payload[];
  /** EAP succeeded: the MSK, by which both ends prove that it was theirs. Wiped with this phase. */
  readonly sessionKey?: Uint8Array;
}

/** A user that EAP has authenticated. */
export interface EapUser {
  readonly user: Identity;
  /** What he has proven to know; the configuration's. */
  readonly password: Uint8Array;
  /** The MSK. Wiped with the phase. */
  readonly sessionKey: Uint8Array;
}

/** Responder: we have proven who we are, and EAP asks who the initiator is (RFC 7296 2.16). */
export interface EapAuthenticating extends AuthenticationMaterial {
  readonly name: 'eap-authenticator';
  /** That of the half-open IKE SA, which this still is. */
  readonly expiresAt: number;
  readonly otherInitRequest?: Uint8Array;
  readonly authenticator: EapAuthenticator;
  /** Of the first IKE_AUTH request: what the last answer is about. */
  readonly payloads: readonly Payload[];
  /** Who we have proven to be. */
  readonly identity: Identity;
  /** Names of those that may take the user. */
  readonly connections: readonly string[];
  /** An answer of the user's that waits to be judged, and its request. */
  readonly held?: { readonly origin: RequestOrigin; readonly until: number };
  readonly proven?: EapUser;
}

export interface Established {
  readonly name: 'established';
}

/** A successor carries the Child SAs; the Delete of this IKE SA is awaited or on its way (RFC 7296 2.8). */
export interface Rekeyed {
  readonly name: 'rekeyed';
  /** A peer that never sends its Delete must not keep us. */
  readonly expiresAt: number;
}

export interface Deleting {
  readonly name: 'deleting';
  readonly failure: IkeFailure;
}

export interface Ended {
  readonly name: 'ended';
  readonly failure: IkeFailure;
}

export type Phase =
  | New
  | InitSent
  | ResumeSent
  | AuthSent
  | HalfOpen
  | Validating
  | EapPeering
  | EapAuthenticating
  | Established
  | Rekeyed
  | Deleting
  | Ended;

/** What the host is told of a phase. */
export function publicPhase(phase: Phase, rekeying: boolean): IkePhase {
  switch (phase.name) {
    case 'new':
    case 'init-sent':
    case 'resume-sent':
    case 'auth-sent':
    case 'half-open':
    case 'validating':
    case 'eap-peer':
    case 'eap-authenticator':
      return 'connecting';
    case 'established':
      return rekeying ? 'rekeying' : 'established';
    case 'rekeyed':
    case 'deleting':
    case 'ended':
      return phase.name;
  }
}

/** The pair of SPIs that names an IKE SA. */
export interface IkeSpis {
  readonly initiator: IkeSpi;
  readonly responder: IkeSpi;
}

/** Responder: IKE_AUTH is not done, so that nobody is authenticated. */
export function isHalfOpen(phase: Phase): phase is HalfOpen | EapAuthenticating {
  return phase.name === 'half-open' || phase.name === 'eap-authenticator';
}
