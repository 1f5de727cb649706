// What the stages below hand to the trackers: one IPsec packet, whatever it was wrapped in.
import type { Endpoint } from '#sa';
import type { Sighting } from '../story.ts';

export type DatagramKind = 'ike' | 'esp' | 'ah' | 'hip' | 'keepalive' | 'icmp-error';

export interface Datagram {
  readonly at: Sighting;
  readonly kind: DatagramKind;
  /** Port 0 if there is none. */
  readonly source: Endpoint;
  readonly destination: Endpoint;
  /** In UDP, behind a marker if that is what its port asks for. */
  readonly encapsulated: boolean;
  /** From the header of the protocol on; a view, good until the next frame. */
  readonly octets: Uint8Array;
  /** Octets on the wire; more than there are here if the capture cut the frame. */
  readonly lengthBytes: number;
  /** How many IP fragments it came in; 1: whole. */
  readonly fragments: number;
}
