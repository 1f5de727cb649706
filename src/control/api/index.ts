// What operators see, as plain JSON. Types only: the page, the terminal view and any other reader share them.
//
// Times are wall-clock milliseconds (`...Ms`, `atMs`) unless they say `MsAgo` or `InMs`. SPIs are hexadecimal, endpoints
// and selectors are text. Nothing here ever holds a key octet.

/** One or, in a demonstration, two hosts at one time. */
export interface Snapshot {
  readonly atMs: number;
  readonly hosts: readonly HostSnapshot[];
  /** The hosts are gateways of a demonstration, and may be crashed by a request. */
  readonly demonstration: boolean;
}

export interface HostSnapshot {
  readonly name: string;
  /** `down`: its process has ended, and what follows is what it last said. */
  readonly state: 'running' | 'down';
  readonly atMs: number;
  readonly version: string;
  readonly pid: number;
  readonly startedAtMs: number;
  /** How often this host has started. */
  readonly bootEpoch: number;
  /** `wayward.unknown_spi`. */
  readonly policy: string;
  /** At most `tunnelsMax` of them, in the order in which they came up. */
  readonly tunnels: readonly Tunnel[];
  readonly tunnelCount: number;
  readonly peers: readonly Peer[];
  readonly peerCount: number;
  /** At most `tunnelsMax` of them. */
  readonly associations: readonly Association[];
  readonly associationCount: number;
  readonly connecting: readonly Connecting[];
  readonly budgets: readonly Budget[];
  readonly replies: Replies;
  readonly traffic: TrafficHistory;
  /** What strangers caused since the start, by kind, reason and outcome. */
  readonly counts: Readonly<Record<string, number>>;
  /** Ids of incidents that go on. */
  readonly openIncidents: readonly string[];
}

/** A Child SA pair. */
export interface Tunnel {
  readonly childId: number;
  readonly ikeId: number;
  readonly connection: string;
  readonly child: string;
  readonly phase: string;
  readonly protocol: string;
  readonly mode: string;
  readonly inboundSpi: string;
  readonly outboundSpi: string;
  readonly local: readonly string[];
  readonly remote: readonly string[];
  readonly suite: string;
  /** Rises by one with each rekeying. */
  readonly generation: number;
  readonly installedMsAgo: number;
  /** Negative when it is overdue. */
  readonly rekeyInMs?: number;
  readonly inbound: Flow;
  readonly outbound: Flow;
}

/** What one direction of a tunnel has carried since it came up, over its rekeyings. */
export interface Flow {
  readonly bytes: number;
  readonly packets: number;
  readonly bytesPerSecond: number;
  readonly packetsPerSecond: number;
  /** Failed integrity, replayed or malformed. */
  readonly refused: number;
}

/** The other end of an IKE SA. */
export interface Peer {
  readonly ikeId: number;
  readonly connection: string;
  readonly phase: string;
  readonly initiator: boolean;
  readonly identity?: string;
  readonly remote: string;
  readonly local: string;
  readonly initiatorSpi: string;
  readonly responderSpi: string;
  readonly suite?: string;
  readonly nat: boolean;
  readonly establishedMsAgo?: number;
  readonly rekeyInMs?: number;
  readonly rttMs?: number;
  /** Absent: the two ends did not agree that they may move. */
  readonly mobility?: PeerMobility;
  /** Absent: nobody has moved since the IKE SA was made. */
  readonly lastMove?: PeerMove;
  readonly capabilities: readonly Capability[];
}

/** What both ends agreed on about moving (MOBIKE, RFC 4555). */
export interface PeerMobility {
  /** Between which addresses it goes; else the peer does. */
  readonly weDecide: boolean;
  /** Those that the peer named beside the one in use. */
  readonly furtherAddresses: readonly string[];
  /** Where tunnels still lead, while the peer has yet to answer from `remote`. */
  readonly tunnelsTo?: string;
}

/** One end went elsewhere, or a NAT in front of it made another mapping. */
export interface PeerMove {
  readonly by: 'us' | 'peer';
  readonly fromLocal: string;
  readonly fromRemote: string;
  readonly msAgo: number;
}

/** What decides how fast a loss is found, in the words of docs/recovery.md. */
export interface Capability {
  readonly name:
    | 'token-held'
    | 'token-given'
    | 'ticket-held'
    | 'ticket-given'
    | 'message-id-sync'
    | 'fragmentation';
  readonly has: boolean;
}

/** A HIP association (RFC 7401), with the pair of SAs that it has while it stands. HITs are text, like addresses. */
export interface Association {
  /** Its name in the configuration. */
  readonly peer?: string;
  readonly localHit: string;
  readonly remoteHit: string;
  /** Addresses, with a port if HIP and ESP are in UDP. */
  readonly local: string;
  readonly remote: string;
  /** RFC 7401 4.4.2 */
  readonly state: string;
  /** How far the base exchange is that is to replace it. */
  readonly attempt?: string;
  readonly inboundSpi?: string;
  readonly outboundSpi?: string;
  readonly suite?: string;
  readonly rttMs?: number;
  readonly lastInboundMsAgo?: number;
  /** The peer can be called through us (RFC 8004). */
  readonly client?: true;
  /** How our registration with the peer stands, through which we can be called. */
  readonly server?: 'asked' | 'registered' | 'refused' | 'unavailable';
  readonly inbound?: Flow;
  readonly outbound?: Flow;
}

export interface Connecting {
  readonly connection: string;
  readonly phase: string;
  readonly failures: number;
}

/** How much is used of something bounded. */
export interface Budget {
  readonly name: 'replies-strangers' | 'replies-known' | 'half-open' | 'spi-history';
  readonly used: number;
  readonly limit: number;
}

/** Unauthenticated messages and the replies to them, in IP octets. */
export interface Replies {
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly foldedSpis: number;
}

/** Of all tunnels together, the newest last. */
export interface TrafficHistory {
  readonly sampleMs: number;
  readonly endMs: number;
  readonly inboundBytesPerSecond: readonly number[];
  readonly outboundBytesPerSecond: readonly number[];
}

/** A packet or message that belongs to no SA, what was decided and what was done. The same again is only counted. */
export interface UnknownSpi {
  readonly id: string;
  readonly host: string;
  readonly atMs: number;
  readonly lastAtMs: number;
  readonly count: number;
  readonly protocol: 'esp' | 'ah' | 'ike';
  /** Of ESP or AH; of IKE both SPIs with `_` in between. */
  readonly spi: string;
  readonly remote: string;
  readonly verdict: string;
  readonly reason: string;
  readonly outcome: string;
  readonly owner?: SpiOwner;
  /** Id of the incident that it belongs to. */
  readonly incident?: string;
}

/** Whose an SPI was. */
export interface SpiOwner {
  readonly connection: string;
  readonly child: string;
  readonly remoteIdentity: string;
  readonly ended?: { readonly atMs: number; readonly why: string };
}

/** A connection that may have lost its peer's state or its own, from the first sign until it is over. */
export interface Incident {
  /** Unique over restarts: `BOOT-NUMBER`. In a demonstration, the host's name goes before it. */
  readonly id: string;
  readonly host: string;
  readonly connection: string;
  readonly remote?: string;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly state: 'open' | IncidentOutcome;
  /** The rung of the recovery ladder that it is on, or that ended it. */
  readonly rung?: string;
  /** The fastest round trip of an exchange in it. */
  readonly rttMs?: number;
  /** Pairs of request and answer. */
  readonly exchanges: number;
  readonly entries: readonly IncidentEntry[];
  /** Entries beyond the bound are left out. */
  readonly omitted: number;
}

/**
 * - `traffic-back`: protected traffic comes in again
 * - `sa-stands`: a Child SA stands in the place of the lost one
 * - `child-replaced`: the peer did not know one Child SA, which was replaced
 * - `peer-alive`: nothing was lost
 * - `given-up`
 * - `faded`: nothing more was heard of it
 */
export type IncidentOutcome =
  | 'traffic-back'
  | 'sa-stands'
  | 'child-replaced'
  | 'peer-alive'
  | 'given-up'
  | 'faded';

export interface IncidentEntry {
  /** Milliseconds after `startedAtMs`; a little negative for what led to the first sign. */
  readonly afterMs: number;
  /** How often in a row. */
  readonly count: number;
  readonly lastAfterMs: number;
  readonly kind: 'evidence' | 'verdict' | 'hint' | 'rung' | 'message' | 'change';
  /** Of evidence and messages: from the peer, or to it. */
  readonly direction?: 'in' | 'out';
  readonly title: string;
  readonly detail?: string;
}

/** What `GET /api/v1/events` sends, by the name of the event. */
export interface ServerEvents {
  readonly snapshot: Snapshot;
  readonly incident: Incident;
  readonly 'unknown-spi': UnknownSpi;
}

/** Why a request was not carried out. */
export interface Refusal {
  readonly code:
    | 'unauthorized'
    | 'not-found'
    | 'method'
    | 'bad-request'
    | 'refused'
    | 'forbidden-host'
    | 'busy';
  readonly detail: string;
}

/** `GET /api/v1/why/{subject}`: everything that is known about an SPI or the last incident. */
export interface Why {
  readonly host: string;
  readonly lines: readonly string[];
}
