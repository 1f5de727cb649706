// NO_NATS_ALLOWED: the addresses and ports between which a message was sent, where no NAT may change them (RFC 4555 3.9, 4.2.6).
import { equalConstantTime } from '#crypto';
import { addressBytes, type Endpoint } from '#sa';
import { type NotifyPayload, NotifyType, type Payload } from '#wire';
import { findNotify, notify } from './notify.ts';

/** Source address, destination address, source port, destination port: 12 octets, or 36 for IPv6. */
function endsOf(source: Endpoint, destination: Endpoint): Uint8Array {
  return Uint8Array.of(
    ...addressBytes(source.address),
    ...addressBytes(destination.address),
    source.port >>> 8,
    source.port & 0xff,
    destination.port >>> 8,
    destination.port & 0xff,
  );
}

export function noNatsAllowed(local: Endpoint, remote: Endpoint): NotifyPayload {
  return notify(NotifyType.NO_NATS_ALLOWED, endsOf(local, remote));
}

/**
 * Whether the message forbids NATs and came through one. What it says of its ends is used for nothing else.
 * @param local where it arrived
 * @param remote where it came from
 */
export function isNatUnexpected(payloads: readonly Payload[], local: Endpoint, remote: Endpoint): boolean {
  const said = findNotify(payloads, NotifyType.NO_NATS_ALLOWED);
  return said !== undefined && !equalConstantTime(said.data, endsOf(remote, local));
}
