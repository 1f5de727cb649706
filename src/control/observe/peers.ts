// The other end of an IKE SA, as operators see it.
import type { IkeSaStatus } from '#engine';
import { formatEndpoint, formatSuite } from '#sa';
import type { Peer, PeerMobility, PeerMove } from '../api/index.ts';

export function peerOf(sa: IkeSaStatus): Peer {
  const { peer, mobility, lastMove } = sa;
  return {
    ikeId: sa.ikeId,
    connection: sa.connection,
    phase: sa.phase,
    initiator: sa.initiator,
    ...identityOf(sa),
    remote: formatEndpoint(sa.remote),
    local: formatEndpoint(sa.local),
    initiatorSpi: sa.initiatorSpi,
    responderSpi: sa.responderSpi,
    ...(sa.suite === undefined ? {} : { suite: formatSuite(sa.suite) }),
    nat: sa.nat.local || sa.nat.remote,
    ...(sa.establishedMsAgo === undefined ? {} : { establishedMsAgo: Math.round(sa.establishedMsAgo) }),
    ...(sa.rekeyInMs === undefined ? {} : { rekeyInMs: Math.round(sa.rekeyInMs) }),
    ...(peer.rttMs === undefined ? {} : { rttMs: peer.rttMs }),
    ...(mobility === undefined ? {} : { mobility: mobilityOf(sa, mobility) }),
    ...(lastMove === undefined ? {} : { lastMove: moveOf(lastMove) }),
    capabilities: [
      { name: 'token-held', has: peer.tokenHeld },
      { name: 'token-given', has: peer.tokenGiven },
      { name: 'ticket-held', has: peer.ticketHeld },
      { name: 'ticket-given', has: peer.ticketGiven },
      { name: 'message-id-sync', has: peer.messageIdSync },
      { name: 'fragmentation', has: peer.fragmentation },
    ],
  };
}

/** The user that has been authenticated, if there is one, and not what his machine calls itself. */
function identityOf({ remoteEapIdentity, remoteIdentity }: IkeSaStatus): Pick<Peer, 'identity'> {
  const identity = remoteEapIdentity ?? remoteIdentity;
  return identity === undefined ? {} : { identity };
}

function mobilityOf(
  { remote }: IkeSaStatus,
  { client, peerAddresses, tunnel }: NonNullable<IkeSaStatus['mobility']>,
): PeerMobility {
  const tunnelsTo = formatEndpoint(tunnel.remote);
  return {
    weDecide: client,
    furtherAddresses: peerAddresses,
    ...(tunnelsTo === formatEndpoint(remote) ? {} : { tunnelsTo }),
  };
}

function moveOf({ by, from, msAgo }: NonNullable<IkeSaStatus['lastMove']>): PeerMove {
  return {
    by,
    fromLocal: formatEndpoint(from.local),
    fromRemote: formatEndpoint(from.remote),
    msAgo: Math.round(msAgo),
  };
}
