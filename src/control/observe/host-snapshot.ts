// The engine's status and what its tunnels carry, as operators see them.
import type { EngineStatus, IkeSaStatus } from '#engine';
import { formatSelector, formatSpi, formatSuite } from '#sa';
import type { HostSnapshot, Tunnel } from '../api/index.ts';
import { associationOf } from './associations.ts';
import { peerOf } from './peers.ts';
import type { TunnelTraffic } from './tunnel-traffic.ts';

/** A snapshot is for people: of more tunnels than this only the number is told. */
export const tunnelsMax = 256;

export function tunnelsOf(status: EngineStatus, traffic: TunnelTraffic): readonly Tunnel[] {
  const tunnels: Tunnel[] = [];
  for (const sa of status.ikeSas) {
    for (const child of sa.children) {
      if (tunnels.length === tunnelsMax) return tunnels;
      // What a rekeying leaves behind for a moment is no tunnel of its own.
      if (child.phase !== 'installed') continue;
      tunnels.push({
        childId: child.childId,
        ikeId: sa.ikeId,
        connection: sa.connection,
        child: child.name,
        phase: sa.phase,
        protocol: child.suite.protocol,
        mode: child.mode,
        inboundSpi: formatSpi(child.inboundSpi),
        outboundSpi: formatSpi(child.outboundSpi),
        local: child.local.map(formatSelector),
        remote: child.remote.map(formatSelector),
        suite: formatSuite(child.suite),
        generation: child.generation,
        installedMsAgo: Math.round(status.at - child.installedAt),
        ...(child.rekeyAt === undefined ? {} : { rekeyInMs: Math.round(child.rekeyAt - status.at) }),
        inbound: traffic.flow(child.childId, 'inbound'),
        outbound: traffic.flow(child.childId, 'outbound'),
      });
    }
  }
  return tunnels;
}

/** What of a snapshot comes out of the engine's status. */
export function fromStatus(
  status: EngineStatus,
  traffic: TunnelTraffic,
): Pick<
  HostSnapshot,
  | 'bootEpoch'
  | 'policy'
  | 'tunnels'
  | 'tunnelCount'
  | 'peers'
  | 'peerCount'
  | 'associations'
  | 'associationCount'
  | 'connecting'
  | 'budgets'
  | 'replies'
  | 'counts'
> {
  const installed = (sa: IkeSaStatus): number =>
    sa.children.filter(({ phase }) => phase === 'installed').length;
  return {
    bootEpoch: status.bootEpoch,
    policy: status.policy,
    tunnels: tunnelsOf(status, traffic),
    tunnelCount: status.ikeSas.reduce((sum, sa) => sum + installed(sa), 0),
    peers: status.ikeSas.slice(0, tunnelsMax).map(peerOf),
    peerCount: status.ikeSas.length,
    associations: status.hip.slice(0, tunnelsMax).map((one) => associationOf(one, status.at, traffic)),
    associationCount: status.hip.length,
    connecting: status.connecting,
    budgets: status.budgets.map((budget) => ({ ...budget, used: Math.round(budget.used * 10) / 10 })),
    replies: status.replies,
    counts: status.counts,
  };
}
