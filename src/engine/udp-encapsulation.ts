// The non-ESP marker that lets IKE and ESP share a UDP port (RFC 3948 2.2, 2.3).
import { classifyUdpEncapsulated } from '#wire';

const markerBytes = 4;

/** RFC 3948 2.3: one octet 0xFF keeps a NAT's mapping alive. */
export const natKeepalive: Uint8Array = Uint8Array.of(0xff);

export function withMarker(octets: Uint8Array): Uint8Array {
  const marked = new Uint8Array(markerBytes + octets.length);
  marked.set(octets, markerBytes);
  return marked;
}

/** What a datagram on the shared port holds; IKE octets come without their marker. */
export function withoutMarker(
  datagram: Uint8Array,
): { readonly kind: 'ike'; readonly octets: Uint8Array } | { readonly kind: 'esp' | 'keepalive' | 'short' } {
  const kind = classifyUdpEncapsulated(datagram);
  return kind === 'ike' ? { kind, octets: datagram.subarray(markerBytes) } : { kind };
}
