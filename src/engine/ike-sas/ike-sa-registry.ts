// The IKE SAs of this host and how a message, a Child SA or a person finds one.
import { formatIdentity, type Identity, type IkeSa, identityKey } from '#ike';
import type { Endpoint, IpAddress } from '#sa';
import { addTo, formatEndpoint, removeFrom } from '#sa';
import type { IkeSpi } from '#wire';
import type { EarlyMessage } from './early-messages.ts';
import { PeerIndex } from './peer-index.ts';

/** Who is at both ends, also as text: it goes into every event. */
export interface EntryIdentities {
  readonly local: Identity;
  /** Who has been authenticated: with EAP the user (RFC 7296 2.16). */
  readonly remote: Identity;
  readonly localText: string;
  /** What the peer calls itself in IKE. */
  readonly remoteText: string;
  readonly remoteUserText?: string;
}

export function entryIdentities(local: Identity, remote: Identity, user?: Identity): EntryIdentities {
  return {
    local,
    remote: user ?? remote,
    localText: formatIdentity(local),
    remoteText: formatIdentity(remote),
    ...(user !== undefined && { remoteUserText: formatIdentity(user) }),
  };
}

/** An IKE SA and those that rekeyings make of it: they share what the first of them was made with. */
export interface IkeLine {
  /** Of the one that stands. */
  ikeId: number;
}

/** One of its ends went elsewhere. */
export interface IkeMove {
  readonly at: number;
  readonly by: 'us' | 'peer';
  /** Where the two ends were. */
  readonly from: { readonly local: Endpoint; readonly remote: Endpoint };
}

/** What the engine remembers beside an IKE SA. */
export interface IkeEntry {
  readonly ikeId: number;
  readonly line: IkeLine;
  readonly sa: IkeSa;
  /** The connection under which the registry has it. */
  connectionName: string;
  readonly initiator: boolean;
  /** When its IKE_SA_INIT was sent or came. */
  readonly createdAt: number;
  /** Counted as half-open for this source until somebody is authenticated. */
  halfOpenSource: IpAddress | undefined;
  /** The first request of a responder, to know its repetitions. */
  readonly initRequestFrom: Endpoint | undefined;
  /** A rekeying moves things between an IKE SA and those it made: they are drained together. */
  parent: IkeEntry | undefined;
  readonly offspring: IkeEntry[];
  identities: EntryIdentities | undefined;
  /** Names of its Child SAs that may come first for our traffic, for the registry. */
  readonly leads: Set<string>;
  establishedAt: number | undefined;
  /** The lower nonce of the first exchange, which a rekeying hands on (RFC 7296 2.8.2). */
  lowestNonce: Uint8Array | undefined;
  /** Both ends began at once, and this one is to go. */
  redundant: boolean;
  behindNat: boolean;
  natDetected: boolean;
  virtualAddresses: readonly IpAddress[];
  nameServers: readonly IpAddress[];
  peerVirtualAddresses: readonly IpAddress[];
  lastTransmitAt: number;
  lastMove: IkeMove | undefined;
  /** The newest that the data plane was told for it. */
  lastCommandId: number | undefined;
  /** Children that it was to bring up and that nobody wants any more: its IKE_AUTH may be on its way. */
  readonly unwanted: Set<string>;
  /** The IKE SA that carries our traffic since this one fell silent. */
  successorOfSilence: number | undefined;
  /** Its IKE_AUTH says INITIAL_CONTACT, for these identities. */
  initialContact: string | undefined;
  /** Newer IKE SAs of its peer go as soon as anything is heard on this one (`unique = keep`). */
  contested: boolean;
  /** Taken over from a checkpoint: its peer may not know of it, and everything is rekeyed once that is settled. */
  rekeysOnceKnown: boolean;
  /** Its first request had another answer than the one that it goes on with. */
  answeredTwice: boolean;
  /** What the newest refusal of its IKE_SA_INIT said, whoever sent it. */
  refusal: string | undefined;
  /** Our SPI of the IKE SA that its rekeying is making. */
  expectedSpi: IkeSpi | undefined;
  /** What came by that one before it was there. */
  readonly early: EarlyMessage[];
  /** Messages that wait for a record to be durable; `undefined`: none has to. */
  withheld:
    | { readonly local: Endpoint; readonly remote: Endpoint; readonly octets: Uint8Array }[]
    | undefined;
}

/** First requests under one SPI from one source: an initiator corrects its own a few times. */
const firstRequestsMax = 4;

/** Finds IKE SAs by our SPI, by a repeated first request, by Child SA, by connection, by number. */
export class IkeSaRegistry {
  readonly #entries = new Map<number, IkeEntry>();
  readonly #bySpi = new Map<IkeSpi, IkeEntry>();
  readonly #byExpectedSpi = new Map<IkeSpi, IkeEntry>();
  readonly #byFirstRequest = new Map<string, Set<IkeEntry>>();
  readonly #byChild = new Map<number, number>();
  readonly #childrenOf = new Map<number, Set<number>>();
  readonly #byConnection = new Map<string, Set<IkeEntry>>();
  /** In the order in which they were identified. */
  readonly #byIdentities = new Map<string, Set<IkeEntry>>();
  readonly #byRemoteIdentity = new Map<string, Set<IkeEntry>>();
  /** By identities and the name of a child: IKE SAs whose Child SA of that name may still come first for our traffic. */
  readonly #leading = new Map<string, Set<IkeEntry>>();
  readonly #peers = new PeerIndex<IkeEntry>();
  #nextIkeId = 1;

  get size(): number {
    return this.#entries.size;
  }

  /** How many Child SAs `byChild` finds. */
  get childCount(): number {
    return this.#byChild.size;
  }

  all(): readonly IkeEntry[] {
    return [...this.#entries.values()];
  }

  /** Whose peer is at this address, in the order in which they came there. */
  withPeer(address: IpAddress): Iterable<IkeEntry> {
    return this.#peers.withPeer(address);
  }

  /** With a Child SA that has this outbound SPI, to whatever peer. */
  sendingBy(spi: number): Iterable<IkeEntry> {
    return this.#peers.sendingBy(spi);
  }

  nextIkeId(): number {
    return this.#nextIkeId++;
  }

  add(entry: IkeEntry): void {
    this.#entries.set(entry.ikeId, entry);
    this.#bySpi.set(localSpi(entry), entry);
    addTo(this.#byConnection, entry.connectionName, entry);
    this.#peers.follow(entry);
    if (entry.initRequestFrom !== undefined) {
      addTo(this.#byFirstRequest, firstRequestKey(entry.sa.initiatorSpi, entry.initRequestFrom), entry);
    }
  }

  remove(entry: IkeEntry): void {
    this.#entries.delete(entry.ikeId);
    if (entry.expectedSpi !== undefined) this.#byExpectedSpi.delete(entry.expectedSpi);
    this.#bySpi.delete(localSpi(entry));
    removeFrom(this.#byConnection, entry.connectionName, entry);
    this.#peers.remove(entry);
    if (entry.initRequestFrom !== undefined) {
      removeFrom(this.#byFirstRequest, firstRequestKey(entry.sa.initiatorSpi, entry.initRequestFrom), entry);
    }
    for (const childId of this.#childrenOf.get(entry.ikeId) ?? []) this.#byChild.delete(childId);
    this.#childrenOf.delete(entry.ikeId);
    this.#forgetIdentities(entry);
  }

  /** An IKE SA was given something: a responder learns only in IKE_AUTH which connection its peer means. */
  settle(entry: IkeEntry): void {
    const { name } = entry.sa.connection;
    if (name === entry.connectionName || !this.has(entry.ikeId)) return;
    removeFrom(this.#byConnection, entry.connectionName, entry);
    entry.connectionName = name;
    addTo(this.#byConnection, name, entry);
  }

  /** Tells who is at both ends, once that is known; from then on `ofIdentities` finds it. */
  identify(entry: IkeEntry, identities: EntryIdentities): void {
    this.#forgetIdentities(entry);
    entry.identities = identities;
    addTo(this.#byIdentities, identitiesKey(identities), entry);
    addTo(this.#byRemoteIdentity, remoteKey(identities), entry);
  }

  /** A Child SA of this name came up: until `yield` it is one that newer IKE SAs may have to go before. */
  lead(entry: IkeEntry, child: string): void {
    const key = leadingKey(entry, child);
    if (key === undefined) return;
    addTo(this.#leading, key, entry);
    entry.leads.add(child);
  }

  /** No Child SA of this name comes first here any more. */
  yield(entry: IkeEntry, child: string): void {
    const key = leadingKey(entry, child);
    if (key !== undefined) removeFrom(this.#leading, key, entry);
    entry.leads.delete(child);
  }

  /** Other IKE SAs between the same two identities whose Child SAs of this name have not yielded. */
  leading(entry: IkeEntry, child: string): readonly IkeEntry[] {
    const key = leadingKey(entry, child);
    const all = key === undefined ? undefined : this.#leading.get(key);
    return [...(all ?? [])].filter((other) => other !== entry);
  }

  #forgetIdentities(entry: IkeEntry): void {
    const { identities } = entry;
    if (identities === undefined) return;
    removeFrom(this.#byIdentities, identitiesKey(identities), entry);
    removeFrom(this.#byRemoteIdentity, remoteKey(identities), entry);
    for (const child of entry.leads) this.yield(entry, child);
  }

  has(ikeId: number): boolean {
    return this.#entries.has(ikeId);
  }

  byId(ikeId: number): IkeEntry | undefined {
    return this.#entries.get(ikeId);
  }

  bySpi(spi: IkeSpi): IkeEntry | undefined {
    return this.#bySpi.get(spi);
  }

  /** What is remembered of an IKE SA that a rekeying may have made. */
  of(sa: IkeSa): IkeEntry | undefined {
    const entry = this.#bySpi.get(sa.role === 'initiator' ? sa.initiatorSpi : sa.responderSpi);
    return entry?.sa === sa ? entry : undefined;
  }

  hasSpi(spi: IkeSpi): boolean {
    return this.#bySpi.has(spi);
  }

  /** An IKE SA has been drained: it may have moved, changed its Child SAs, begun a rekeying, or come to the end of one. */
  follow(entry: IkeEntry): void {
    this.#peers.follow(entry);
    const { expectedSpi } = entry.sa;
    if (expectedSpi === entry.expectedSpi) return;
    if (entry.expectedSpi !== undefined) this.#byExpectedSpi.delete(entry.expectedSpi);
    if (expectedSpi !== undefined) this.#byExpectedSpi.set(expectedSpi, entry);
    entry.expectedSpi = expectedSpi;
    entry.early.length = 0;
  }

  /**
   * Whether an IKE SA with one of these SPIs lives here or is being made by a rekeying, whoever sent what names them: one of
   * the two is always ours.
   */
  isLive(initiatorSpi: IkeSpi, responderSpi: IkeSpi): boolean {
    return [initiatorSpi, responderSpi].some((spi) => this.hasSpi(spi) || this.expecting(spi) !== undefined);
  }

  /** The IKE SA whose rekeying makes one with this SPI of ours. */
  expecting(spi: IkeSpi): IkeEntry | undefined {
    return this.#byExpectedSpi.get(spi);
  }

  /**
   * RFC 7296 2.1: an IKE_SA_INIT request is a repetition if SPI, source and octets are those of one we know. Another one begins
   * another IKE SA, so that who was led astray by a forged answer can begin again; but none does without end.
   */
  byFirstRequest(initiatorSpi: IkeSpi, remote: Endpoint, octets: Uint8Array): IkeEntry | undefined {
    const known = [...(this.#byFirstRequest.get(firstRequestKey(initiatorSpi, remote)) ?? [])];
    const same = known.find(({ sa }) => sa.beganWith(octets));
    return same ?? (known.length < firstRequestsMax ? undefined : known[0]);
  }

  byChild(childId: number): IkeEntry | undefined {
    const ikeId = this.#byChild.get(childId);
    return ikeId === undefined ? undefined : this.#entries.get(ikeId);
  }

  /** Also moves a Child SA to another IKE SA, as rekeying does. */
  assignChild(childId: number, ikeId: number): void {
    this.dropChild(childId);
    this.#byChild.set(childId, ikeId);
    const children = this.#childrenOf.get(ikeId);
    if (children === undefined) this.#childrenOf.set(ikeId, new Set([childId]));
    else children.add(childId);
  }

  dropChild(childId: number): void {
    const ikeId = this.#byChild.get(childId);
    if (ikeId === undefined) return;
    this.#byChild.delete(childId);
    this.#childrenOf.get(ikeId)?.delete(childId);
  }

  /** Also those that have ended or were rekeyed, as long as they are here. */
  allOfConnection(connection: string): Iterable<IkeEntry> {
    return this.#byConnection.get(connection) ?? [];
  }

  /** Live IKE SAs of a connection, the newest first. */
  ofConnection(connection: string): readonly IkeEntry[] {
    return [...this.#liveOf(connection)].sort((one, other) => other.ikeId - one.ikeId);
  }

  /** Whether the connection has this child, other than on its way out. */
  carries(connection: string, child: string): boolean {
    for (const { sa } of this.#liveOf(connection)) {
      if (sa.leaving) continue;
      if (sa.children.some(({ name, phase }) => name === child && phase !== 'deleting')) return true;
    }
    return false;
  }

  *#liveOf(connection: string): Iterable<IkeEntry> {
    for (const entry of this.#byConnection.get(connection) ?? []) {
      if (entry.sa.phase !== 'ended' && entry.sa.phase !== 'rekeyed') yield entry;
    }
  }

  /** Whether a newer IKE SA of the same connection and peer has this child installed. */
  carriesNewer({ identities, createdAt, sa: { connection } }: IkeEntry, child: string): boolean {
    if (identities === undefined) return false;
    return this.ofIdentities(identities).some(
      (other) =>
        other.createdAt > createdAt &&
        other.sa.connection.name === connection.name &&
        other.sa.children.some(({ name, phase }) => name === child && phase === 'installed'),
    );
  }

  /** Whether an IKE SA stands with this peer, who is nobody's user, whoever we are to it. */
  knows(remote: Identity): boolean {
    for (const { sa } of this.#byRemoteIdentity.get(remoteKey({ remote })) ?? []) {
      if (sa.phase !== 'ended') return true;
    }
    return false;
  }

  /** Established IKE SAs between the same two identities, the oldest first. */
  ofIdentities(identities: EntryIdentities): readonly IkeEntry[] {
    const same = this.#byIdentities.get(identitiesKey(identities)) ?? [];
    return [...same]
      .filter(({ sa }) => sa.phase === 'established' || sa.phase === 'rekeying')
      .toSorted((one, other) => one.ikeId - other.ikeId);
  }
}

function localSpi(entry: IkeEntry): IkeSpi {
  return entry.initiator ? entry.sa.initiatorSpi : entry.sa.responderSpi;
}

function identitiesKey(identities: EntryIdentities): string {
  return `${identityKey(identities.local)} ${remoteKey(identities)}`;
}

function remoteKey({ remote, remoteUserText }: Pick<EntryIdentities, 'remote' | 'remoteUserText'>): string {
  return remoteUserText === undefined ? peerKey(remote) : peerKey(remote, remote);
}

/**
 * A user's name, and the same as an IKE identity, may be two people's: who has proven one of them is not the other.
 * @param user whom EAP has authenticated
 */
export function peerKey(remote: Identity, user?: Identity): string {
  return user === undefined ? identityKey(remote) : `user ${identityKey(user)}`;
}

function leadingKey({ identities }: IkeEntry, child: string): string | undefined {
  if (identities === undefined) return undefined;
  return `${identitiesKey(identities)} ${child}`;
}

function firstRequestKey(initiatorSpi: IkeSpi, remote: Endpoint): string {
  return `${initiatorSpi} ${formatEndpoint(remote)}`;
}
