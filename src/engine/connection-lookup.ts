// Which connections a responder may mean: by addresses before the identity is known, by identities afterwards (RFC 4301 4.4.3).
import {
  type ConnectionConfiguration,
  type Identity,
  identityKey,
  identityOfAddress,
  matchIdentity,
  type RemoteAddress,
  sameIdentity,
  wantsCertificate,
} from '#ike';
import { addTo, compareAddresses, type Endpoint, type IpAddress, prefixRange, sameFamily } from '#sa';

/** One configuration's connections, found by what packets and commands say. */
export class ConnectionLookup {
  readonly #byName = new Map<string, ConnectionConfiguration>();
  /** The first with a child of the name. */
  readonly #byChild = new Map<string, ConnectionConfiguration>();
  /** Groups whose peers have nothing but the addresses that are written there. */
  readonly #byAddress = new Map<IpAddress, Set<Group>>();
  /** All others, which have to be looked at for every address. */
  readonly #others: Group[] = [];
  /** Every address that is written down for a peer. */
  readonly #written = new Set<IpAddress>();

  constructor(connections: readonly ConnectionConfiguration[]) {
    const groups = new Map<string, Group>();
    for (const [order, connection] of connections.entries()) {
      if (!this.#byName.has(connection.name)) this.#byName.set(connection.name, connection);
      for (const { name } of connection.children) {
        if (!this.#byChild.has(name)) this.#byChild.set(name, connection);
      }
      const member = { connection, order };
      const key = groupKey(connection);
      const known = groups.get(key);
      const group: Group = known ?? { first: member, byIdentity: new Map(), patterns: [] };
      if (known === undefined) {
        groups.set(key, group);
        this.#add(group);
      }
      const { identity } = connection.remote;
      if (identity.kind === 'exact') addTo(group.byIdentity, identityKey(identity.identity), member);
      else group.patterns.push(member);
    }
  }

  #add(group: Group): void {
    const { remoteAddresses } = group.first.connection;
    const written = remoteAddresses.flatMap((one) => (one.kind === 'address' ? [one.address] : []));
    for (const address of written) this.#written.add(address);
    if (written.length === 0 || written.length < remoteAddresses.length) {
      this.#others.push(group);
      return;
    }
    for (const address of written) addTo(this.#byAddress, address, group);
  }

  named(name: string): ConnectionConfiguration | undefined {
    return this.#byName.get(name);
  }

  /** The first connection with a child of this name. */
  withChild(name: string): ConnectionConfiguration | undefined {
    return this.#byChild.get(name);
  }

  /** Whether the configuration writes this address out for a peer. */
  writesOut(address: IpAddress): boolean {
    return this.#written.has(address);
  }

  /** The first of those that `fitting` finds, as long as nobody knows who the peer is; `undefined`: none fits. */
  first(ends: Ends): ConnectionConfiguration | undefined {
    let first: Fitting | undefined;
    for (const { group, addresses } of this.#groupsFor(ends)) {
      const one: Fitting = { member: group.first, identities: 0, addresses };
      if (first === undefined || moreSpecific(one, first) < 0) first = one;
    }
    return first?.member.connection;
  }

  /**
   * Connections that fit, the most specific first; the order of the configuration breaks ties. As long as nobody knows who the
   * peer is, one stands for all that say the same until then.
   */
  fitting({ local, remote, identities }: PeerDescription): readonly ConnectionConfiguration[] {
    const fitting: Fitting[] = [];
    for (const { group, addresses } of this.#groupsFor({ local, remote })) {
      if (identities === undefined) {
        fitting.push({ member: group.first, identities: 0, addresses });
        continue;
      }
      const exact = group.byIdentity.get(identityKey(identities.initiator)) ?? [];
      for (const member of [...exact, ...group.patterns]) {
        const fit = identitiesFit(member.connection, local, identities);
        if (fit !== undefined) fitting.push({ member, identities: fit, addresses });
      }
    }
    return fitting.sort(moreSpecific).map(({ member }) => member.connection);
  }

  *#groupsFor({ local, remote }: Ends): Iterable<{ readonly group: Group; readonly addresses: number }> {
    for (const groups of [this.#byAddress.get(remote.address) ?? [], this.#others]) {
      for (const group of groups) {
        const { localAddresses, remoteAddresses } = group.first.connection;
        const localFit = addressFit(localAddresses, local.address);
        const remoteFit = addressFit(remoteAddresses, remote.address);
        if (localFit > 0 && remoteFit > 0) yield { group, addresses: localFit + remoteFit };
      }
    }
  }
}

interface Ends {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** Connections that are the same to a peer that has not said who it is: a gateway may have thousands for any address. */
interface Group {
  readonly first: Member;
  /** Those whose peer is called by its name, by `identityKey`. */
  readonly byIdentity: Map<string, Set<Member>>;
  readonly patterns: Member[];
}

/** All that IKE_SA_INIT looks at. */
function groupKey({
  localAddresses,
  remoteAddresses,
  proposals,
  sendCertreq,
  remote,
}: ConnectionConfiguration): string {
  return JSON.stringify([localAddresses, remoteAddresses, proposals, sendCertreq, wantsCertificate(remote)]);
}

interface Member {
  readonly connection: ConnectionConfiguration;
  readonly order: number;
}

export interface PeerDescription extends Ends {
  /** Once they are known. */
  readonly identities?: PeerIdentities;
}

interface PeerIdentities {
  readonly initiator: Identity;
  readonly responder?: Identity;
}

interface Fitting {
  readonly member: Member;
  /** How well: the larger the better. */
  readonly identities: number;
  readonly addresses: number;
}

function moreSpecific(one: Fitting, other: Fitting): number {
  return (
    other.identities - one.identities ||
    other.addresses - one.addresses ||
    one.member.order - other.member.order
  );
}

/** How well it fits who the peer says it is; `undefined`: not at all. */
function identitiesFit(
  connection: ConnectionConfiguration,
  ourEnd: Endpoint,
  { initiator, responder: wanted }: PeerIdentities,
): number | undefined {
  const remoteIdentity = matchIdentity(initiator, connection.remote.identity);
  if (remoteIdentity === 0) return undefined;
  // RFC 7296 1.2: IDr names which of our identities the initiator wants to talk to.
  const own = connection.local.identity ?? identityOfAddress(ourEnd.address);
  const localIdentity = wanted === undefined ? 1 : sameIdentity(wanted, own) ? 2 : 0;
  if (localIdentity === 0 && connection.local.identity !== undefined) return undefined;
  return remoteIdentity + localIdentity;
}

/** How well an address fits: 0 not at all, 1 anything, 2 a block or name, 3 exactly. */
export function addressFit(patterns: readonly RemoteAddress[], address: IpAddress): number {
  let best = patterns.length === 0 ? 1 : 0;
  for (const pattern of patterns) best = Math.max(best, fitOne(pattern, address));
  return best;
}

function fitOne(pattern: RemoteAddress, address: IpAddress): number {
  switch (pattern.kind) {
    case 'any':
      return 1;
    // A name's addresses change and are not known here; the identity decides.
    case 'host':
      return 1;
    case 'address':
      return pattern.address === address ? 3 : 0;
    case 'prefix':
      return within(address, prefixRange(pattern.prefix)) ? 2 : 0;
    case 'range':
      return within(address, pattern) ? 2 : 0;
  }
}

function within(address: IpAddress, range: { readonly start: IpAddress; readonly end: IpAddress }): boolean {
  return (
    sameFamily(address, range.start) &&
    compareAddresses(range.start, address) <= 0 &&
    compareAddresses(address, range.end) <= 0
  );
}
