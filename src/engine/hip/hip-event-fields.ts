// Events of HIP as names and values.
import type { HipEvent } from '#hip';
import { formatEndpoint, formatSpi, hitAddress } from '#sa';
import { hipPacketTypeName, registrationFailureName } from '#wire';
import type { EventFields } from '../events/event-fields.ts';

export function hipEventFields(event: HipEvent): EventFields {
  if (event.kind === 'rejected') {
    const { packetType, path, reason } = event;
    return { packet: hipPacketTypeName(packetType), remote: formatEndpoint(path.remote), reason };
  }
  const { local, remote, peer, path } = event.context;
  return {
    hip: event.kind,
    localHit: hitAddress(local),
    remoteHit: hitAddress(remote),
    remote: formatEndpoint(path.remote),
    ...(peer !== undefined && { peer }),
    ...('inboundSpi' in event && { inboundSpi: formatSpi(event.inboundSpi) }),
    ...('outboundSpi' in event && { outboundSpi: formatSpi(event.outboundSpi) }),
    ...(event.kind === 'state' && { from: event.from, to: event.to }),
    ...(event.kind === 'locator' && { address: event.address, state: event.state }),
    ...('as' in event && { as: event.as }),
    ...('lifetimeMs' in event && { lifetimeSeconds: Math.round(event.lifetimeMs / 1_000) }),
    ...('failure' in event && { failure: registrationFailureName(event.failure) }),
    ...(event.kind === 'registration-ended' && { cause: event.cause }),
    ...(event.kind === 'relayed' && {
      initiatorHit: hitAddress(event.initiator),
      initiator: formatEndpoint(event.from),
    }),
    ...('rttMs' in event && { rttMs: Math.round(event.rttMs * 100) / 100 }),
  };
}
