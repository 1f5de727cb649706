// NAT detection by hashes of addresses and ports (RFC 7296 2.23).
import { digest, equalConstantTime } from '#crypto';
import { addressBytes, type Endpoint } from '#sa';
import { type IkeSpi, ikeSpiBytes, type NotifyPayload, NotifyType, type Payload } from '#wire';
import { notify } from './notify.ts';

/** The SPIs as in the header of the message that carries the notifies. */
export interface NatDetectionSpis {
  readonly initiatorSpi: IkeSpi;
  readonly responderSpi: IkeSpi;
}

/** SHA-1(SPIs | address | port): 20 octets. */
export function natDetectionHash(spis: NatDetectionSpis, endpoint: Endpoint): Uint8Array {
  const port = Uint8Array.of(endpoint.port >>> 8, endpoint.port);
  const { initiatorSpi, responderSpi } = spis;
  return digest(
    'sha1',
    ikeSpiBytes(initiatorSpi),
    ikeSpiBytes(responderSpi),
    addressBytes(endpoint.address),
    port,
  );
}

/**
 * The two notifies of an IKE_SA_INIT (or MOBIKE) message.
 * @param forceEncapsulation sends a source hash that cannot match, so that the peer sees a NAT (`encap = yes`)
 */
export function natDetectionNotifies(
  spis: NatDetectionSpis,
  local: Endpoint,
  remote: Endpoint,
  forceEncapsulation = false,
): NotifyPayload[] {
  // Port 0 is no port a datagram could come from.
  const source = forceEncapsulation ? { ...local, port: 0 } : local;
  return [
    notify(NotifyType.NAT_DETECTION_SOURCE_IP, natDetectionHash(spis, source)),
    notify(NotifyType.NAT_DETECTION_DESTINATION_IP, natDetectionHash(spis, remote)),
  ];
}

/** `supported` is false unless the peer sent both kinds: no NAT traversal then. */
export interface NatVerdict {
  readonly supported: boolean;
  /** We are behind a NAT: the peer sent to another address than the one we received at. */
  readonly local: boolean;
  /** The peer is behind a NAT: none of its source hashes matches the address we received from. */
  readonly remote: boolean;
}

/** ESP goes into UDP if there is a NAT in front of either end (RFC 7296 2.23). */
export function isEncapsulated({ local, remote }: NatVerdict): boolean {
  return local || remote;
}

/**
 * @param spis those in the header of the received message
 * @param local where the datagram that carried `payloads` arrived
 * @param remote where it came from
 */
export function judgeNat(
  payloads: readonly Payload[],
  spis: NatDetectionSpis,
  local: Endpoint,
  remote: Endpoint,
): NatVerdict {
  const sources: Uint8Array[] = [];
  const destinations: Uint8Array[] = [];
  for (const payload of payloads) {
    if (payload.type !== 'N') continue;
    if (payload.notifyType === NotifyType.NAT_DETECTION_SOURCE_IP) sources.push(payload.data);
    if (payload.notifyType === NotifyType.NAT_DETECTION_DESTINATION_IP) destinations.push(payload.data);
  }
  if (sources.length === 0 || destinations.length === 0) {
    return { supported: false, local: false, remote: false };
  }
  const hasHashOf = (candidates: readonly Uint8Array[], endpoint: Endpoint): boolean => {
    const expected = natDetectionHash(spis, endpoint);
    return candidates.some((hash) => equalConstantTime(hash, expected));
  };
  return {
    supported: true,
    local: !hasHashOf(destinations, local),
    // A host with several addresses may send a hash for each of them.
    remote: !hasHashOf(sources, remote),
  };
}
