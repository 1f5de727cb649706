// IKE messages as they cross the ports of a host: read once for everybody who counts or remembers them.
import { decodeIkeHeader, ikeHeaderLength, type ReceivedIkeHeader, removeNonEspMarker } from '#wire';

export interface IkeMessageSeen {
  readonly header: ReceivedIkeHeader;
  /** All of it, and no marker in front. */
  readonly octets: Uint8Array;
}

/**
 * The IKE message in octets of one of our ports, if it is one of version 2.
 * @param shared the port is one on which ESP comes, too (RFC 3948)
 */
export function ikeMessageSeen(octets: Uint8Array, shared: boolean): IkeMessageSeen | undefined {
  const message = shared ? removeNonEspMarker(octets) : octets;
  if (message === undefined || message.length < ikeHeaderLength) return undefined;
  const header = decodeIkeHeader(message);
  return header.majorVersion === 2 ? { header, octets: message } : undefined;
}
