// Local-Scope Identifiers: what IPv4 applications of this host call its HIP peers (RFC 5338 3.2).
import type { IpAddress } from './address.ts';

/** A peer by its two names. HITs are IPv6 addresses here, as selectors have them. */
export interface LsiPeer {
  readonly lsi: IpAddress;
  readonly localHit: IpAddress;
  readonly remoteHit: IpAddress;
}

/** They mean something on this host only: each host numbers its peers for itself. */
export interface LsiTable {
  /** What this host is called by its own IPv4 applications. */
  readonly own: IpAddress;
  readonly peers: readonly LsiPeer[];
}
