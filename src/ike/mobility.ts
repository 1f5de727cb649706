// What an IKE SA keeps of where its two ends are, once both agreed that they may move (RFC 4555).
import type { Endpoint, IpAddress } from '#sa';
import type { ConnectionConfiguration } from './configuration.ts';
import type { NatVerdict } from './payloads/nat-detection.ts';

export interface Path {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** Where Child SAs lead, and whether in UDP. */
export interface TunnelEnds extends Path {
  readonly nat: NatVerdict;
}

/** Where the peer says, or seems, to be. Its Child SAs follow once it has answered from there (RFC 4555 3.7). */
export interface PathCandidate extends Path {
  /** What told: its UPDATE_SA_ADDRESSES, or a packet on a Child SA through a NAT that gave it another mapping. */
  by: 'update' | 'traffic';
  /** How many checks told nothing. */
  failures: number;
}

export interface Mobility {
  /** Those that the peer has beside the one in use (3.4). */
  peerAddresses: readonly IpAddress[];
  /** As client: how often the path has changed. */
  moves: number;
  /** As client: how often in a row a NAT was found where there must be none (3.9). */
  natsFound: number;
  /**
   * Where the Child SAs lead while that is not where the IKE SA leads: the peer is not known to be there. Absent: they lead where
   * the IKE SA does.
   */
  proven: TunnelEnds | undefined;
  /** Where the peer is being asked. */
  candidate: PathCandidate | undefined;
  /** From where packets on a Child SA have come while the peer was being asked: the data plane says so once. */
  heardFrom: Endpoint | undefined;
  /** As client behind a NAT: as whom the gateway saw us, by its last answer to an update (3.8). */
  seenAs: Uint8Array | undefined;
}

export function newMobility(): Mobility {
  return {
    peerAddresses: [],
    moves: 0,
    natsFound: 0,
    proven: undefined,
    candidate: undefined,
    heardFrom: undefined,
    seenAs: undefined,
  };
}

/** RFC 4555 1.2: it moves tunnel mode SAs, and no others. */
export function wantsMobility({ mobike, children }: ConnectionConfiguration): boolean {
  return mobike && children.every(({ mode }) => mode === 'tunnel');
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.port === b.port;
}

export function samePath(a: Path, b: Path): boolean {
  return sameEndpoint(a.local, b.local) && sameEndpoint(a.remote, b.remote);
}
