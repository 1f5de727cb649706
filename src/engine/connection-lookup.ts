// Which connections a responder may mean: by addresses before the identity is known, by identities afterwards (RFC 4301 4.4.3).
import {
  type ConnectionConfiguration,
  type Identity,
  identityOfAddress,
  matchIdentity,
  type RemoteAddress,
  sameIdentity,
} from '#ike';
import { compareAddresses, type Endpoint, type IpAddress, prefixRange, sameFamily } from '#sa';

/** How well an address fits: 0 not at all, 1 anything, 2 a block or name, 3 exactly. */
function addressFit(patterns: readonly RemoteAddress[], address: IpAddress): number {
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

/** Connections that fit, the most specific first; the order of the configuration breaks ties. */
export function connectionsFor(
  connections: readonly ConnectionConfiguration[],
  peer: {
    readonly local: Endpoint;
    readonly remote: Endpoint;
    readonly identities?: { readonly initiator: Identity; readonly responder?: Identity };
  },
): readonly ConnectionConfiguration[] {
  const fitting: { connection: ConnectionConfiguration; order: number; fit: [number, number] }[] = [];
  for (const [order, connection] of connections.entries()) {
    const local = addressFit(connection.localAddresses, peer.local.address);
    const remote = addressFit(connection.remoteAddresses, peer.remote.address);
    if (local === 0 || remote === 0) continue;
    if (peer.identities === undefined) {
      fitting.push({ connection, order, fit: [0, local + remote] });
      continue;
    }
    const remoteIdentity = matchIdentity(peer.identities.initiator, connection.remote.identity);
    if (remoteIdentity === 0) continue;
    const wanted = peer.identities.responder;
    // RFC 7296 1.2: IDr names which of our identities the initiator wants to talk to.
    const own = connection.local.identity ?? identityOfAddress(peer.local.address);
    const localIdentity = wanted === undefined ? 1 : sameIdentity(wanted, own) ? 2 : 0;
    if (localIdentity === 0 && connection.local.identity !== undefined) continue;
    fitting.push({ connection, order, fit: [remoteIdentity + localIdentity, local + remote] });
  }
  fitting.sort((a, b) => b.fit[0] - a.fit[0] || b.fit[1] - a.fit[1] || a.order - b.order);
  return fitting.map(({ connection }) => connection);
}
