// A client of a rendezvous server: whom an I1 is from that the server relayed, if that is true (RFC 8004 4.2.1, 4.3.2).
import { verifyHipMac } from '#crypto';
import { addressBytes, addressFromBytes, sameFamily } from '#sa';
import { type HipParameter, type Hit, hipParameter, hipUdpPort, zeroHit } from '#wire';
import type { HipAssociation } from '../association.ts';
import { peersOf } from '../configured-peers.ts';
import type { HipHostState, ReceivedPacket } from '../host-state.ts';
import type { HipPath, HipRejection } from '../interface.ts';
import { isReachable } from '../unicast.ts';

export interface RelayedI1 {
  /** To the Initiator, without the server. */
  readonly path: HipPath;
  /** For R1 (RFC 8004 4.2.3, 4.3.3). */
  readonly via: HipParameter;
}

/** `undefined`: it came from the Initiator itself. */
export function relayedI1(
  state: HipHostState,
  received: ReceivedPacket,
): RelayedI1 | HipRejection | undefined {
  const { packet, path } = received;
  const { parameters, header } = packet;
  const froms = parameters.filter((parameter) => parameter.type === 'FROM');
  const [from] = froms;
  if (from === undefined && hipParameter(parameters, 'RVS_HMAC') === undefined) return undefined;
  // Through a server nobody can be called without saying whom.
  if (header.receiver === zeroHit) return 'opportunistic';
  const server = serverOf(state, header.receiver, received);
  if (server === undefined) return 'rvs-hmac';
  if (froms.length > 1) return 'relayed-before';
  if (from === undefined) return { path, via: viaOf(server.path) };
  const address = addressFromBytes(from.address);
  if (
    !isReachable(from.address) ||
    !sameFamily(address, path.local.address) ||
    address === path.local.address
  )
    return 'from';
  const remote = { address, port: path.remote.port === 0 ? 0 : hipUdpPort };
  return { path: { local: path.local, remote }, via: viaOf(path) };
}

/** The server whose MAC it is: of those that we are registered with by this identity, wherever it sent it from. */
function serverOf(state: HipHostState, local: Hit, { packet }: ReceivedPacket): HipAssociation | undefined {
  for (const hit of peersOf(state.configuration).registrars.keys()) {
    const association = state.find(local, hit);
    const { standing } = association ?? {};
    if (standing?.registration?.state !== 'registered') continue;
    const { keys } = standing;
    if (verifyHipMac(packet, keys.responder, keys.peer.integrity, 'RVS_HMAC')) return association;
  }
  return undefined;
}

function viaOf({ remote }: HipPath): HipParameter {
  return { type: 'VIA_RVS', addresses: [addressBytes(remote.address)] };
}
