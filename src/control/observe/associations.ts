// HIP associations, as operators see them.
import type { EngineStatus, HipContext } from '#engine';
import { formatEndpoint, formatSpi, formatSuite, hitAddress } from '#sa';
import type { Association } from '../api/index.ts';
import type { TunnelName, TunnelTraffic } from './tunnel-traffic.ts';

/** Whoever has no name of its own in the configuration: strangers are not told apart. */
const unnamed = 'unnamed';

export function associationName({ peer }: Pick<HipContext, 'peer'>): TunnelName {
  return { connection: 'hip', child: peer ?? unnamed };
}

type HipAssociation = EngineStatus['hip'][number];

export function associationOf(one: HipAssociation, at: number, traffic: TunnelTraffic): Association {
  const { path, childId, inboundSpi, outboundSpi, suite, rttMs, lastInboundAt, registration } = one;
  return {
    ...(one.peer === undefined ? {} : { peer: one.peer }),
    localHit: hitAddress(one.local),
    remoteHit: hitAddress(one.remote),
    local: place(path.local),
    remote: place(path.remote),
    state: one.state,
    ...(one.attempt === undefined ? {} : { attempt: one.attempt }),
    ...(inboundSpi === undefined ? {} : { inboundSpi: formatSpi(inboundSpi) }),
    ...(outboundSpi === undefined ? {} : { outboundSpi: formatSpi(outboundSpi) }),
    ...(suite === undefined ? {} : { suite: formatSuite(suite) }),
    ...(rttMs === undefined ? {} : { rttMs }),
    ...(lastInboundAt === undefined ? {} : { lastInboundMsAgo: Math.round(at - lastInboundAt) }),
    ...(one.client === undefined ? {} : { client: true }),
    ...(registration === undefined ? {} : { server: registration.state }),
    ...(childId === undefined
      ? {}
      : { inbound: traffic.flow(childId, 'inbound'), outbound: traffic.flow(childId, 'outbound') }),
  };
}

/** Right in IP there is no port. */
function place({ address, port }: HipAssociation['path']['local']): string {
  return port === 0 ? address : formatEndpoint({ address, port });
}
