// NOTIFY: for people only, it changes nothing (RFC 7401 5.3.6, 6.13, RFC 7402 6.11).
import { verifyHipSignature } from '#crypto';
import type { HipHostState, ReceivedPacket } from './host-state.ts';
import { isKeepalive } from './keepalive.ts';

export function receiveNotify(state: HipHostState, received: ReceivedPacket): void {
  const { packet } = received;
  const association = state.of(received);
  const { standing, leaving, attempt } = association ?? {};
  const peer =
    standing?.peer ?? leaving?.peer ?? (attempt?.name === 'I2-SENT' ? attempt.r1.identity : undefined);
  if (association === undefined || peer === undefined) {
    state.reject(received, 'unexpected');
    return;
  }
  // Nothing follows from it, whoever sent it.
  if (isKeepalive(packet.parameters)) return;
  if (!association.notifyRate.take(state.at)) {
    state.reject(received, 'rate');
    return;
  }
  if (!verifyHipSignature(packet, peer)) {
    state.reject(received, 'signature');
    return;
  }
  for (const parameter of packet.parameters) {
    if (parameter.type !== 'NOTIFICATION') continue;
    state.emit({ kind: 'notified', context: association.context, notifyType: parameter.notifyType });
  }
}
