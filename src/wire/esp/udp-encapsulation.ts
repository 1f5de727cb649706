// What a datagram on the NAT traversal port holds (RFC 3948 2): ESP, IKE behind a marker, or a keepalive.
import { espHeaderLength } from './packet.ts';

/** `short`: too few octets for any of the others. */
export type UdpEncapsulated = 'keepalive' | 'ike' | 'esp' | 'short';

/** Octets of zero in the place of the SPI before an IKE message (RFC 3948 2.2). */
export const nonEspMarkerLength = 4;

/** Classifies the UDP payload from `start` to `end`; never throws. */
export function classifyUdpEncapsulated(
  octets: Uint8Array,
  start = 0,
  end: number = octets.length,
): UdpEncapsulated {
  const length = Math.min(end, octets.length) - start;
  // RFC 3948 2.3: exactly one octet of 0xff.
  if (length === 1 && octets[start] === 0xff) return 'keepalive';
  if (length < nonEspMarkerLength) return 'short';
  const marked =
    octets[start] === 0 && octets[start + 1] === 0 && octets[start + 2] === 0 && octets[start + 3] === 0;
  if (marked) return 'ike';
  return length < espHeaderLength ? 'short' : 'esp';
}

/** The UDP payload for an IKE message on the NAT traversal port. */
export function addNonEspMarker(message: Uint8Array): Uint8Array {
  const octets = new Uint8Array(nonEspMarkerLength + message.length);
  octets.set(message, nonEspMarkerLength);
  return octets;
}

/** A view on the IKE message behind the marker, for a payload classified 'ike'; undefined for any other. */
export function removeNonEspMarker(octets: Uint8Array): Uint8Array | undefined {
  return classifyUdpEncapsulated(octets) === 'ike' ? octets.subarray(nonEspMarkerLength) : undefined;
}

/** A new NAT-keepalive payload (RFC 3948 2.3). */
export function natKeepalive(): Uint8Array {
  return Uint8Array.of(0xff);
}
