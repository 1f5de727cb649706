// What goes into the HIP side of a host and what comes out. Drain `poll()` before the next `handle()`.
import type { Randomness, SearchPuzzleJob, SearchPuzzleResult } from '#crypto';
import type { ChildSuite, DataPlaneEvent, Endpoint, IpAddress, SaCommand, SaResult, Spi } from '#sa';
import type { Hit } from '#wire';
import type { HipConfiguration } from './configuration.ts';
import type { LocatorState } from './locators/peer-locators.ts';

/** What HIP may ask of its host, synchronously. All of it is deterministic. */
export interface HipPorts {
  readonly randomness: Randomness;
  /**
   * An SPI no SA of this host uses, whichever protocol keys it (RFC 7402 3.4), reserved until released.
   * @param like the inbound SPI that it replaces: the host may want both in the same place of its data plane
   */
  allocateSpi(like?: Spi): Spi;
  releaseSpi(spi: Spi): void;
  /** A number for a new pair of SAs; stable over its rekeyings. */
  allocateChildId(): number;
}

/** Where a packet travels. Port 0: right in IP, as protocol 139; otherwise in UDP. */
export interface HipPath {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** What the host tells. `at` is monotonic milliseconds and never goes back. */
export type HipInput =
  | { readonly kind: 'packet'; readonly at: number; readonly path: HipPath; readonly octets: Uint8Array }
  | { readonly kind: 'timeout'; readonly at: number }
  | { readonly kind: 'command'; readonly at: number; readonly command: HipCommand }
  | { readonly kind: 'data-plane'; readonly at: number; readonly event: DataPlaneEvent }
  | { readonly kind: 'sa-result'; readonly at: number; readonly id: number; readonly result: SaResult }
  | {
      readonly kind: 'computed';
      readonly at: number;
      readonly id: number;
      readonly result: SearchPuzzleResult;
    }
  /** When traffic of a pair of SAs last came in or went out, since it was last told. */
  | {
      readonly kind: 'traffic';
      readonly at: number;
      readonly childId: number;
      readonly lastInboundAt?: number;
      readonly lastOutboundAt?: number;
    };

export type HipCommand =
  | { readonly kind: 'load'; readonly configuration: HipConfiguration }
  /**
   * I1 to a peer, unless an exchange with it is under way. Where an association stands, it stays until the peer has proven
   * itself anew by R2 (RFC 7401 4.5.4). `path` is where I1 goes.
   */
  | {
      readonly kind: 'associate';
      readonly remote: Hit;
      readonly path: HipPath;
      readonly reason: string;
      readonly local?: Hit;
    }
  | { readonly kind: 'close'; readonly local: Hit; readonly remote: Hit; readonly reason: string }
  | { readonly kind: 'rekey'; readonly local: Hit; readonly remote: Hit }
  /** An UPDATE that has to be answered: does the peer still know the association? */
  | { readonly kind: 'check'; readonly local: Hit; readonly remote: Hit; readonly reason: string }
  /** We are somewhere else now: every peer of the old address is told (RFC 8046 3.2.1). */
  | { readonly kind: 'move'; readonly from: Endpoint['address']; readonly to: Endpoint['address'] }
  /** All addresses of this host, as they are now. Before the first time, those of the configuration are there. */
  | { readonly kind: 'addresses'; readonly own: ReadonlySet<IpAddress> };

export type HipOutput =
  /** The checksum is in place unless the path is UDP, where it is zero; the marker of UDP is the driver's to add. */
  | { readonly kind: 'transmit'; readonly path: HipPath; readonly octets: Uint8Array }
  | { readonly kind: 'sa-command'; readonly id: number; readonly command: SaCommand }
  | { readonly kind: 'compute'; readonly id: number; readonly job: SearchPuzzleJob }
  /** An ICMP Parameter Problem that may be sent, within the budgets of the host (RFC 7401 5.4). */
  | {
      readonly kind: 'parameter-problem';
      readonly path: HipPath;
      /** Octet of the HIP packet to point at. */
      readonly pointer: number;
      readonly octets: Uint8Array;
      readonly reason: HipProblem;
    }
  | { readonly kind: 'event'; readonly event: HipEvent };

export type HipProblem = 'version' | 'malformed' | 'puzzle' | 'no-association';

/** RFC 7401 4.4.2 */
export type HipState =
  | 'UNASSOCIATED'
  | 'I1-SENT'
  | 'I2-SENT'
  | 'R2-SENT'
  | 'ESTABLISHED'
  | 'CLOSING'
  | 'CLOSED'
  | 'E-FAILED';

/** Why the SAs of an association went. */
export type HipEnd =
  | 'closed-by-us'
  | 'closed-by-peer'
  | 'unused'
  /** The peer answered neither UPDATE nor I1. */
  | 'silent'
  /** The data plane refused an SA of it, or lost it. */
  | 'data-plane'
  /** By a new association with the same peer, who had lost the old one, or whom we had. */
  | 'replaced';

/** Which association an event is about. */
export interface HipContext {
  readonly local: Hit;
  readonly remote: Hit;
  readonly peer?: string;
  readonly path: HipPath;
}

/** Why a packet had no effect. The order is that of the checks: what is dear comes late (RFC 7401 6.9). */
export type HipRejection =
  | 'malformed'
  | 'checksum'
  | 'version'
  | 'not-ours'
  /** One of ours, sent back to us. */
  | 'reflected'
  | 'unexpected'
  | 'hit-suite'
  | 'missing-parameter'
  | 'critical-parameter'
  | 'rate'
  | 'smaller-hit'
  /** Strangers stand here already, as many as there is room for. */
  | 'too-many'
  /** What came of another one a moment ago has been refused by the data plane. */
  | 'data-plane'
  | 'stale-puzzle'
  | 'puzzle'
  | 'repeated'
  | 'difficulty'
  | 'group'
  | 'downgrade'
  | 'cipher'
  | 'transport'
  | 'esp-transform'
  | 'spi'
  | 'keymat-index'
  | 'public-value'
  | 'mac'
  | 'encrypted'
  | 'host-identity'
  | 'signature'
  | 'not-configured'
  | 'update-id'
  | 'echo'
  /** An R1 from elsewhere than where I1 went. */
  | 'address'
  /** What rendezvous adds (RFC 8004 4.3.2). */
  | 'not-registered'
  | 'relayed-before'
  | 'relay-path'
  | 'relay-rate'
  | 'opportunistic'
  | 'rvs-hmac'
  | 'from';

/** `association`: the association that it belonged to is gone. */
export type RegistrationEnd = 'cancelled' | 'withdrawn' | 'expired' | 'replaced' | 'association';

export type HipEvent =
  | {
      readonly kind: 'state';
      readonly context: HipContext;
      readonly from: HipState;
      readonly to: HipState;
      readonly reason: string;
    }
  | {
      readonly kind: 'established';
      readonly context: HipContext;
      readonly role: 'initiator' | 'responder';
      readonly childId: number;
      readonly inboundSpi: Spi;
      readonly outboundSpi: Spi;
      readonly suite: ChildSuite;
      /** An association with this peer stood before: it lost its state, or we did. */
      readonly replaced: boolean;
    }
  | {
      readonly kind: 'ended';
      readonly context: HipContext;
      readonly childId: number;
      readonly inboundSpi: Spi;
      readonly outboundSpi: Spi;
      readonly cause: HipEnd;
      readonly reason: string;
    }
  | { readonly kind: 'failed'; readonly context: HipContext; readonly reason: string }
  /** Whoever was to answer an opportunistic call has done so: from now on it is about this peer (RFC 7401 4.1.8). */
  | { readonly kind: 'identified'; readonly context: HipContext }
  | {
      readonly kind: 'rekeyed';
      readonly context: HipContext;
      readonly childId: number;
      readonly inboundSpi: Spi;
      readonly outboundSpi: Spi;
      readonly replacedInboundSpi: Spi;
      readonly replacedOutboundSpi: Spi;
    }
  | { readonly kind: 'alive'; readonly context: HipContext; readonly rttMs: number }
  /** The check stayed without an answer: nothing is concluded but that an I1 is due (RFC 7401 4.5.4). */
  | { readonly kind: 'silent'; readonly context: HipContext }
  /** An address of the peer has proven itself, did not, or is not to be used any more (RFC 8046 5.1). */
  | {
      readonly kind: 'locator';
      readonly context: HipContext;
      readonly address: IpAddress;
      readonly state: LocatorState;
    }
  /** An UPDATE is not answered where the peer is thought to be: its other addresses are asked. */
  | { readonly kind: 'unanswered'; readonly context: HipContext }
  | { readonly kind: 'moved'; readonly context: HipContext; readonly from: Endpoint; readonly to: Endpoint }
  /** For rendezvous: the peer with us, or we with the peer (RFC 8003 3.3). */
  | {
      readonly kind: 'registered';
      readonly context: HipContext;
      readonly as: 'registrar' | 'requester';
      readonly lifetimeMs: number;
      readonly refreshed: boolean;
    }
  | {
      readonly kind: 'registration-refused';
      readonly context: HipContext;
      readonly as: 'registrar' | 'requester';
      /** `RegistrationFailure` */
      readonly failure: number;
    }
  | {
      readonly kind: 'registration-ended';
      readonly context: HipContext;
      readonly as: 'registrar' | 'requester';
      readonly cause: RegistrationEnd;
    }
  /** An I1 went on to a client of ours. */
  | {
      readonly kind: 'relayed';
      readonly context: HipContext;
      readonly initiator: Hit;
      readonly from: Endpoint;
    }
  | {
      readonly kind: 'notified';
      readonly context: HipContext;
      readonly notifyType: number;
    }
  | {
      readonly kind: 'rejected';
      readonly packetType: number;
      readonly path: HipPath;
      readonly reason: HipRejection;
      readonly sender?: Hit;
      readonly receiver?: Hit;
    };

/** What `status` shows of one association. */
export interface HipAssociationStatus extends HipContext {
  readonly state: HipState;
  /** Beside a standing association: how far the base exchange that is to replace it has come. */
  readonly attempt?: 'I1-SENT' | 'I2-SENT';
  readonly childId?: number;
  readonly inboundSpi?: Spi;
  readonly outboundSpi?: Spi;
  /** Installed beside these: a pair that is about to take their place, and one whose place they took. */
  readonly otherPairs?: readonly { readonly inboundSpi: Spi; readonly outboundSpi: Spi }[];
  readonly suite?: ChildSuite;
  readonly rttMs?: number;
  /** Monotonic milliseconds. */
  readonly lastInboundAt?: number;
  /** Where the peer says it can be reached, if it has said so. */
  readonly locators?: readonly {
    readonly address: IpAddress;
    readonly state: LocatorState;
    readonly preferred: boolean;
    /** Absent: for good. */
    readonly until?: number;
  }[];
  /** The peer is registered with us for rendezvous. */
  readonly client?: { readonly until: number };
  /** Our registration with the peer; `failure` is a `RegistrationFailure`. */
  readonly registration?: {
    readonly state: 'asked' | 'registered' | 'refused' | 'unavailable';
    readonly until?: number;
    readonly failure?: number;
  };
}
