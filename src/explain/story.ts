// What explaining a capture gives: plain data, for any teller.
import type { IpAddress } from '#sa';

/** A frame of the capture, counted from 1 as tshark counts, and its time in microseconds since 1970. */
export interface Sighting {
  readonly frame: number;
  readonly atUs: number;
}

/**
 * - `problem`: traffic or keying fails or failed
 * - `notice`: works, but an operator should look
 * - `note`: worth knowing when reading the rest
 */
export type Severity = 'problem' | 'notice' | 'note';

/** Something that stands out: what, how that is known, and what an operator should do. */
export interface Finding extends Sighting {
  /** Stable, for programs: `no-proposal-chosen`. */
  readonly code: string;
  readonly severity: Severity;
  readonly what: string;
  readonly why: string;
  readonly advice: string;
  /** How often it was seen; the sighting above is the first. */
  readonly count: number;
  readonly last: Sighting;
}

/** One sentence of a story. */
export interface StoryEvent extends Sighting {
  /** Stable, for programs: `ike-sa-init`. */
  readonly code: string;
  readonly text: string;
}

/** What became of an IKE SA as far as the capture tells. */
export type IkeSaState =
  | 'asked'
  | 'refused'
  | 'half-open'
  | 'established'
  | 'rekeyed'
  | 'deleted'
  /** One side forgot it, as its silence and a fresh IKE SA tell. */
  | 'lost'
  | 'unseen';

export interface IkeSaRow {
  readonly initiator: string;
  readonly responder: string;
  readonly initiatorSpi: string;
  readonly responderSpi: string;
  readonly state: IkeSaState;
  readonly first: Sighting;
  readonly last: Sighting;
  /** In the words of swanctl.conf. */
  readonly suite?: string;
  readonly initiatorIdentity?: string;
  readonly responderIdentity?: string;
  readonly messages: number;
  readonly retransmissions: number;
  /** Messages behind encryption: opened with the keys given, and not. */
  readonly opened: number;
  readonly sealed: number;
}

/** A Child SA whose negotiation was read. */
export interface ChildSaRow {
  readonly protocol: 'esp' | 'ah';
  readonly initiatorSpi: string;
  readonly responderSpi: string;
  readonly suite: string;
  readonly mode: 'tunnel' | 'transport' | 'beet';
  readonly initiatorSelectors: readonly string[];
  readonly responderSelectors: readonly string[];
  readonly made: Sighting;
  readonly ended?: Sighting;
}

/** Where an SPI comes from: read in a negotiation, likely from one that could not be read, or from none in the capture. */
export type FlowOrigin = 'negotiated' | 'likely' | 'before' | 'unknown';

/** ESP or AH packets of one SPI in one direction. */
export interface FlowRow {
  readonly protocol: 'esp' | 'ah';
  readonly spi: string;
  readonly source: string;
  readonly destination: string;
  readonly encapsulated: boolean;
  readonly origin: FlowOrigin;
  readonly packets: number;
  readonly octets: number;
  readonly first: Sighting;
  readonly last: Sighting;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Sequence numbers that did not come. */
  readonly missing: number;
  readonly reordered: number;
  /** Numbers that came again. */
  readonly replayed: number;
  /** With keys: packets whose ICV was right, and wrong. */
  readonly verified?: number;
  readonly forged?: number;
  /** With keys: the most frequent kinds of inner packets, `10.1.0.1 > 10.2.0.1 icmp (12)`. */
  readonly carries?: readonly string[];
}

export interface HipAssociationRow {
  readonly initiatorHit: string;
  readonly responderHit: string;
  readonly packets: number;
  readonly first: Sighting;
  readonly last: Sighting;
  readonly spis: readonly string[];
}

/** Everything between two addresses. */
export interface PeerStory {
  readonly peers: readonly [IpAddress, IpAddress];
  readonly packets: number;
  readonly events: readonly StoryEvent[];
  /** Between the first and the last events. */
  readonly eventsLeftOut: number;
  readonly findings: readonly Finding[];
  readonly findingsLeftOut: number;
  readonly ikeSas: readonly IkeSaRow[];
  readonly childSas: readonly ChildSaRow[];
  readonly flows: readonly FlowRow[];
  readonly flowsLeftOut: number;
  readonly hipAssociations: readonly HipAssociationRow[];
}

export interface CaptureSummary {
  readonly frames: number;
  readonly octets: number;
  readonly first?: Sighting;
  readonly last?: Sighting;
  /** Frames by what they hold. */
  readonly ike: number;
  readonly esp: number;
  readonly ah: number;
  readonly hip: number;
  readonly keepalives: number;
  readonly icmpErrors: number;
  /** Read, and none of our business. */
  readonly other: number;
  /** Frames that could not be read. */
  readonly unreadable: number;
  readonly conversationsLeftOut: number;
}

export interface CaptureStory {
  readonly capture: CaptureSummary;
  /** About the capture itself. */
  readonly findings: readonly Finding[];
  readonly peers: readonly PeerStory[];
}
