// What travels between hosts: a UDP datagram, or a packet of ESP, HIP or ICMP, with the addresses of its outer header.
import type { Endpoint } from '#sa';

/**
 * How a datagram came to be what it is:
 * - `host`: as a host sent it
 * - `repeated`: a second copy of such a one, made by the network
 * - `corrupted`: changed by the network
 * - `forged`: made up by the attacker
 * - `replayed`: recorded by the attacker and sent again
 */
export type DatagramOrigin = 'host' | 'repeated' | 'corrupted' | 'forged' | 'replayed';

export interface Datagram {
  readonly protocol: 'udp' | 'esp' | 'ah' | 'hip' | 'icmp';
  /** Ports are 0 for all but UDP. */
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly octets: Uint8Array;
  readonly origin: DatagramOrigin;
}
