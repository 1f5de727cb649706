// What happens to HIP associations, in words.
import type { HipContext, HipEvent } from '#hip';
import { formatEndpoint, formatSpi, formatSuite, hitAddress } from '#sa';
import { hipNotifyTypeName, hipPacketTypeName } from '#wire';
import type { EventText } from '../event-text.ts';

function nameOf({ peer, remote }: HipContext): string {
  return peer === undefined ? `hip ${hitAddress(remote)}` : `hip ${peer}`;
}

export function hipEventText(event: HipEvent): EventText {
  if (event.kind === 'rejected') {
    const what = event.packetType === 0 ? 'a packet' : hipPacketTypeName(event.packetType);
    return {
      level: 'debug',
      text: `hip: ${what} of ${formatEndpoint(event.path.remote)} ignored: ${event.reason}`,
    };
  }
  const name = nameOf(event.context);
  switch (event.kind) {
    case 'state':
      return { level: 'debug', text: `${name}: ${event.from} -> ${event.to}: ${event.reason}` };
    case 'established': {
      const spis = `${formatSpi(event.inboundSpi)}_i ${formatSpi(event.outboundSpi)}_o`;
      const again = event.replaced ? ', in place of the one before' : '';
      return {
        level: 'info',
        text: `${name}: association with ${hitAddress(event.context.remote)} established as ${event.role}${again}, ${spis}, ${formatSuite(event.suite)}`,
      };
    }
    case 'ended':
      return { level: 'info', text: `${name}: association ended: ${event.reason}` };
    case 'failed':
      return { level: 'error', text: `${name}: no association: ${event.reason}` };
    case 'rekeyed':
      return {
        level: 'info',
        text: `${name}: rekeyed, ${formatSpi(event.inboundSpi)}_i ${formatSpi(event.outboundSpi)}_o instead of ${formatSpi(event.replacedInboundSpi)}_i`,
      };
    case 'alive':
      return { level: 'debug', text: `${name}: alive, round trip ${Math.round(event.rttMs)} ms` };
    case 'silent':
      return { level: 'warn', text: `${name}: does not answer; calling it beside what stands` };
    case 'moved':
      return {
        level: 'info',
        text: `${name}: moved from ${formatEndpoint(event.from)} to ${formatEndpoint(event.to)}`,
      };
    case 'notified':
      return { level: 'warn', text: `${name}: says ${hipNotifyTypeName(event.notifyType)}` };
  }
}
