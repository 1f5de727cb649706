// What happens to HIP associations, in words.
import type { HipContext, HipEvent, RegistrationEnd } from '#hip';
import { formatEndpoint, formatSpi, formatSuite, hitAddress } from '#sa';
import { hipNotifyTypeName, hipPacketTypeName, registrationFailureName } from '#wire';
import type { EventText } from '../events/event-text.ts';

function nameOf({ peer, remote }: HipContext): string {
  return peer === undefined ? `hip ${hitAddress(remote)}` : `hip ${peer}`;
}

const endText: Readonly<Record<RegistrationEnd, string>> = {
  cancelled: 'cancelled',
  withdrawn: 'the service was withdrawn',
  expired: 'its time ran out',
  replaced: 'there is one with another identity of ours',
  association: 'the association has ended',
};

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
    case 'identified':
      return { level: 'info', text: `${name}: has answered a call to anybody` };
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
    case 'locator':
      return { level: 'debug', text: `${name}: its address ${event.address} is ${event.state}` };
    case 'unanswered': {
      const where = formatEndpoint(event.context.path.remote);
      return { level: 'info', text: `${name}: no answer at ${where}; its other addresses are asked` };
    }
    case 'moved':
      return {
        level: 'info',
        text: `${name}: moved from ${formatEndpoint(event.from)} to ${formatEndpoint(event.to)}`,
      };
    case 'registered': {
      const what = event.as === 'registrar' ? 'it is our client' : 'it is our rendezvous server';
      const seconds = Math.round(event.lifetimeMs / 1_000);
      return { level: event.refreshed ? 'debug' : 'info', text: `${name}: ${what} for ${seconds} s` };
    }
    case 'registration-refused': {
      const who = event.as === 'registrar' ? 'it may not register' : 'we may not register';
      return { level: 'warn', text: `${name}: ${who}: ${registrationFailureName(event.failure)}` };
    }
    case 'registration-ended': {
      const whose = event.as === 'registrar' ? 'its registration with us' : 'our registration with it';
      return { level: 'info', text: `${name}: ${whose} has ended: ${endText[event.cause]}` };
    }
    case 'relayed':
      return {
        level: 'debug',
        text: `${name}: an I1 of ${formatEndpoint(event.from)} went on to ${formatEndpoint(event.context.path.remote)}`,
      };
    case 'notified':
      return { level: 'warn', text: `${name}: says ${hipNotifyTypeName(event.notifyType)}` };
  }
}
