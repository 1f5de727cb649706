// Events about one SA, in the shape the keying protocol gets them.
import type { DataPlaneEvent, SequenceNumber } from '#sa';
import type { InboundSa, OutboundSa } from './security-association.ts';

export function expiryEvent(
  kind: 'soft-expired' | 'hard-expired',
  sa: InboundSa | OutboundSa,
): DataPlaneEvent {
  const { protocol, direction, spi, childId } = sa.parameters;
  return { kind, protocol, direction, spi, childId };
}

export function pairEvent(
  kind: 'first-inbound' | 'sequence-exhausted',
  sa: InboundSa | OutboundSa,
): DataPlaneEvent {
  const { protocol, spi, childId } = sa.parameters;
  return { kind, protocol, spi, childId };
}

export function reservationLow(sa: InboundSa | OutboundSa, last: SequenceNumber): DataPlaneEvent {
  const { protocol, direction, spi, childId } = sa.parameters;
  return { kind: 'reservation-low', protocol, direction, spi, childId, last };
}
