// What the NAT detection hashes say of the addresses that the capture saw (RFC 7296 2.23).
import { digest } from '#crypto';
import { addressBytes, type Endpoint } from '#sa';
import { type IkeHeader, ikeSpiBytes, NotifyType, type Payload } from '#wire';

/** Undefined: the message has no hash of this kind. False: none of them fits. */
export interface NatHashes {
  readonly source: boolean | undefined;
  readonly destination: boolean | undefined;
}

export function natHashes(
  header: IkeHeader,
  payloads: readonly Payload[],
  source: Endpoint,
  destination: Endpoint,
): NatHashes {
  return {
    source: fits(header, payloads, NotifyType.NAT_DETECTION_SOURCE_IP, source),
    destination: fits(header, payloads, NotifyType.NAT_DETECTION_DESTINATION_IP, destination),
  };
}

function fits(
  { initiatorSpi, responderSpi }: IkeHeader,
  payloads: readonly Payload[],
  notifyType: number,
  { address, port }: Endpoint,
): boolean | undefined {
  const hashes = payloads.flatMap((payload) =>
    payload.type === 'N' && payload.notifyType === notifyType ? [payload.data] : [],
  );
  if (hashes.length === 0) return undefined;
  const seen = digest(
    'sha1',
    ikeSpiBytes(initiatorSpi),
    ikeSpiBytes(responderSpi),
    addressBytes(address),
    Uint8Array.of(port >>> 8, port),
  );
  return hashes.some((hash) => hash.length === seen.length && hash.every((octet, i) => octet === seen[i]));
}
