// One HIP association: what stands, what is about to replace it, and what is about to be forgotten.
import type { HipKeymat, HipKeys, HostIdentity } from '#crypto';
import type { ChildSuite, Spi } from '#sa';
import type { EspInfoParameter, Hit, R1CounterParameter, RegInfoParameter } from '#wire';
import { AssociationRate } from './association-rate.ts';
import type { LocalIdentity } from './configuration.ts';
import type { HipContext, HipPath, HipState } from './interface.ts';
import type { PeerLocators, ToldLocator } from './locators/peer-locators.ts';
import type { Granted } from './registration/registrar.ts';
import type { Registration } from './registration/requester.ts';
import type { Updates } from './update/updates.ts';

/** The keys of an association, from one base exchange. */
export interface AssociationKeys {
  readonly role: 'initiator' | 'responder';
  keymat: HipKeymat;
  /** Its HIT Suite says which hash is RHASH. */
  readonly responder: Hit;
  readonly cipher: number;
  readonly group: number;
  readonly own: HipKeys;
  readonly peer: HipKeys;
  /** #I and #J, which every later KEYMAT takes too (RFC 7401 6.5). */
  readonly random: Uint8Array;
  readonly solution: Uint8Array;
  /** Where in KEYMAT the next keys begin. */
  nextIndex: number;
  /** For a rekeying to which only we bring a fresh one (RFC 7402 6.10). */
  peerPublicValue: Uint8Array;
}

/** A pair of ESP SAs. */
export interface EspPair {
  readonly suite: ChildSuite;
  readonly inboundSpi: Spi;
  readonly outboundSpi: Spi;
  readonly generation: number;
  readonly installedAt: number;
}

/** What we need of the R1 that we answer. */
export interface AcceptedR1 {
  readonly identity: HostIdentity;
  /** The whole HOST_ID parameter, which HIP_MAC_2 covers. */
  readonly hostId: Uint8Array;
  readonly counter: R1CounterParameter | undefined;
  readonly group: number;
  readonly publicValue: Uint8Array;
  readonly cipher: number;
  readonly espSuite: number;
  readonly opaque: number;
  readonly difficulty: number;
  readonly random: Uint8Array;
  readonly echoSigned: Uint8Array | undefined;
  readonly echoUnsigned: readonly Uint8Array[];
  /** Where else the Responder can be reached. */
  readonly locators: readonly ToldLocator[] | undefined;
  /** What the Responder offers for registration (RFC 8003 3.1). */
  readonly registrarOffer: RegInfoParameter | undefined;
}

interface Repeated {
  readonly path: HipPath;
  readonly packet: Uint8Array;
  /** How often it was sent again. */
  repetitions: number;
  nextAt: number;
}

/** A base exchange that we began. */
export interface I1Sent extends Repeated {
  readonly name: 'I1-SENT';
  /** It goes out because an UPDATE is not answered: any sign of life ends it. */
  readonly becauseOfSilence?: true;
  /** The peer may be elsewhere: its rendezvous server gets the same I1. */
  readonly beside?: HipPath;
  /**
   * An I2 was sent already, in vain so far, and so many newer R1s have come since the first one: repetitions of the next I2 go on
   * from those of the one before.
   */
  readonly renewals?: number | undefined;
  /** The work on a puzzle, and where its solution goes: with a rendezvous server in between not to where I1 went. */
  solving?: {
    readonly r1: AcceptedR1;
    readonly path: HipPath;
    readonly computeId: number;
    readonly expiresAt: number;
    readonly attempts: number;
  };
}

export interface I2Sent extends Repeated {
  readonly name: 'I2-SENT';
  readonly sentAt: number;
  /** What R1 answered; it goes out again with each repetition. */
  readonly call: I1Sent;
  /** How many newer R1s have made another I2 of it. */
  readonly renewals: number;
  readonly r1: AcceptedR1;
  readonly keys: AssociationKeys;
  readonly inboundSpi: Spi;
  readonly keymatIndex: EspInfoParameter['keymatIndex'];
}

/** Our answer to the I2 that made an association. */
export interface R2Sent {
  /** What the signature of I2 covers. */
  readonly i2: Uint8Array;
  readonly path: HipPath;
  readonly octets: Uint8Array;
  /** Of the R1 that it answered, in the pool. */
  readonly r1Number: number;
  readonly until: number;
}

/** What stands: R2-SENT or ESTABLISHED. */
export interface Standing {
  state: 'R2-SENT' | 'ESTABLISHED';
  readonly keys: AssociationKeys;
  readonly peer: HostIdentity;
  readonly childId: number;
  readonly espSuite: number;
  pair: EspPair;
  /** Replaced, and kept until traffic comes by its successor. */
  former: { readonly pair: EspPair; readonly until: number } | undefined;
  readonly updates: Updates;
  /** For the I2 sent again, and until when that may come. */
  r2: R2Sent | undefined;
  rekeyAt: number | undefined;
  lastInboundAt: number;
  lastOutboundAt: number;
  /** When a keepalive went out last, and what it is (RFC 9028 4.10). */
  keptAliveAt: number;
  keepalive: Uint8Array | undefined;
  rttMs: number | undefined;
  /** An UPDATE stayed without an answer to the end of its repetitions. */
  silent: boolean;
  /** Where the peer says it can be reached. */
  readonly locators: PeerLocators;
  /** What is sent to addresses that may be somebody else's (RFC 8046 6.2.1). */
  readonly askRate: AssociationRate;
  /** For an UPDATE that comes again: signatures, and packets to where the peer may not be. */
  readonly repetitionRate: AssociationRate;
  /** The address in use is not verified: data is bounded by credit (RFC 8046 5.6). */
  limited: boolean;
  /** The last way that led to a verified address. */
  provenPath: HipPath;
  /** The way in use did not answer: the next one that does takes its place. */
  suspect: boolean;
  /** Traffic has gone out since then, and none has come. */
  unansweredSince: number | undefined;
  /** Which of our addresses the peer knows, and when it is told again. */
  told: string;
  announceAt: number | undefined;
  /** What the peer offers for registration, as it said last (RFC 8003 4.2). */
  registrarOffer: RegInfoParameter | undefined;
  /** The peer is registered with us. */
  granted: Granted | undefined;
  /** What of our offer the peer has not been told yet (RFC 8003 3.1, 5). */
  untold: Untold;
  /** We are registered with the peer, or want to be. */
  registration: Registration | undefined;
}

/** `revoked`: also that its registration has ended. `room`: there was none when it came or asked, so it hears when there is. */
export type Untold = 'nothing' | 'offer' | 'revoked' | 'room';

/** CLOSING or CLOSED: no data, but CLOSE and CLOSE_ACK are still understood (RFC 7401 6.14). */
export interface Leaving {
  readonly state: 'CLOSING' | 'CLOSED';
  readonly keys: AssociationKeys;
  readonly peer: HostIdentity;
  /** What CLOSE_ACK has to echo; absent if we sent no CLOSE. */
  readonly echo: Uint8Array | undefined;
  readonly close: Repeated | undefined;
  /** The CLOSE that made it CLOSED, and its answer, for when it comes again. */
  readonly answered:
    | { readonly close: Uint8Array; readonly path: HipPath; readonly octets: Uint8Array }
    | undefined;
  readonly until: number;
}

/**
 * The states of RFC 7401 4.4.2 exclude each other; ours do not. An I1 goes out beside an association that stands (a peer
 * that does not answer may have lost its state), and beside one that is closing, so each has a place of its own.
 */
export class HipAssociation {
  readonly local: LocalIdentity;
  /** Zero while an opportunistic I1 waits for whoever answers. */
  readonly remote: Hit;
  readonly peerName: string | undefined;
  /** Changed by `AssociationTable.move` alone, which finds it by where it leads to. */
  path: HipPath;
  attempt: I1Sent | I2Sent | undefined;
  standing: Standing | undefined;
  leaving: Leaving | undefined;
  failedUntil: number | undefined;
  /** No I2 is taken until then: the data plane has just refused what came of one. */
  refusedUntil: number | undefined;
  /** Each NOTIFY has to be verified, for it has no MAC (RFC 7401 5.3.6). */
  readonly notifyRate: AssociationRate = new AssociationRate();

  constructor(local: LocalIdentity, remote: Hit, peerName: string | undefined, path: HipPath) {
    this.local = local;
    this.remote = remote;
    this.peerName = peerName;
    this.path = path;
  }

  get state(): HipState {
    return (
      this.standing?.state ??
      this.attempt?.name ??
      this.leaving?.state ??
      (this.failedUntil === undefined ? 'UNASSOCIATED' : 'E-FAILED')
    );
  }

  get context(): HipContext {
    return {
      local: this.local.identity.hit,
      remote: this.remote,
      path: this.path,
      ...(this.peerName !== undefined && { peer: this.peerName }),
    };
  }

  /** RFC 7401 6.5: whether ours is the smaller of the two HITs. */
  get localIsSmaller(): boolean {
    return this.local.identity.hit < this.remote;
  }
}

export function associationKey(local: Hit, remote: Hit): string {
  return `${local} ${remote}`;
}
