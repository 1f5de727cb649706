// Which other pairs of addresses there are, and when a request is tried over them (RFC 4555 3.5, 3.6, 3.10).
import { type IpAddress, sameFamily } from '#sa';
import type { IkeSaState } from '../../ike-sa-state.ts';
import type { Path } from '../../mobility.ts';
import { additionalAddressesMax } from '../../payloads/additional-addresses.ts';
import type { OutstandingRequest } from '../exchange.ts';

/** A request that was repeated so often without an answer is sent elsewhere, too. */
const repetitionsBefore = 2;

/** More pairs are never tried before a request is given up. */
const pathsMax = 16;

/** Those of this host that the peer may be told of, but for the one in use. */
export function otherOwnAddresses(state: IkeSaState): readonly IpAddress[] {
  const own = state.ports.ownAddresses?.(state.connection) ?? [];
  return own.filter((address) => address !== state.local.address).slice(0, additionalAddressesMax);
}

/**
 * All pairs that might do, but for the one in use. Those with the address that the peer has now come first. A gateway has but one
 * address: a list of its others that came from several of them would say several things (3.6).
 */
export function otherPaths(state: IkeSaState): readonly Path[] {
  const { local, remote, mobility, client } = state;
  const known = client ? (state.ports.ownAddresses?.(state.connection) ?? []) : [];
  const own = known.length === 0 ? [local.address] : known;
  const paths: Path[] = [];
  // Where the peer was last known to be may still be right: that it went came from an address that anybody may have written.
  const { proven, peerAddresses = [] } = mobility ?? {};
  for (const theirs of new Set([
    remote.address,
    proven?.remote.address ?? remote.address,
    ...peerAddresses,
  ])) {
    for (const ours of own) {
      if (!sameFamily(ours, theirs) || (ours === local.address && theirs === remote.address)) continue;
      if (paths.length === pathsMax) return paths;
      paths.push({
        local: { address: ours, port: local.port },
        remote: { address: theirs, port: remote.port },
      });
    }
  }
  return paths;
}

/** Where a request goes this time. */
export function pathsFor(
  state: IkeSaState,
  { exchange, attempt }: Pick<OutstandingRequest, 'exchange' | 'attempt'>,
): readonly [Path, ...Path[]] {
  const { local, remote, mobility } = state;
  const current = { local, remote };
  if (mobility === undefined) return [current];
  const patient = attempt < repetitionsBefore;
  if (exchange.kind === 'check-path') {
    const candidate = mobility.candidate ?? exchange.candidate;
    // RFC 7296 2.1: without an answer no other request can follow, and from where the peer was it may still come.
    return patient ? [candidate] : [candidate, mobility.proven ?? current];
  }
  if (patient) return [current];
  // 3.4, 3.6: the other addresses of a client are for the case that its gateway has to tell of others of its own, and for no other.
  if (!state.client && exchange.kind !== 'announce-addresses') {
    // Where packets on a Child SA have come from it cannot be asked before this is answered.
    const elsewhere = mobility.proven ?? mobility.candidate;
    return elsewhere === undefined ? [current] : [current, elsewhere];
  }
  const others = otherPaths(state);
  const other = others[(attempt - repetitionsBefore) % Math.max(1, others.length)];
  return other === undefined ? [current] : [current, other];
}
