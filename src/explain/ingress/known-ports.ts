// Ports that IPsec uses, and those that a capture shows it to use.
import { type Endpoint, formatEndpoint } from '#sa';
import { ikeHeaderLength, readU32 } from '#wire';

export const UdpPort = { IKE: 500, NAT_TRAVERSAL: 4500, HIP: 10_500 } as const;

/** Pairs of endpoints that are remembered. */
const pairsMax = 256;

/** Pairs of endpoints on other ports between which IKE was seen behind a non-ESP marker: the rest there is ESP. */
export class KnownPorts {
  readonly #pairs = new Set<string>();

  learn(source: Endpoint, destination: Endpoint): void {
    const [oldest] = this.#pairs;
    if (this.#pairs.size >= pairsMax && oldest !== undefined) this.#pairs.delete(oldest);
    this.#pairs.add(pair(source, destination));
  }

  knows(source: Endpoint, destination: Endpoint): boolean {
    return this.#pairs.size > 0 && this.#pairs.has(pair(source, destination));
  }
}

function pair(one: Endpoint, other: Endpoint): string {
  const [a, b] = [formatEndpoint(one), formatEndpoint(other)];
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

/** Whether a whole datagram is IKEv2, told by its header alone (RFC 7296 3.1). */
export function looksLikeIke(octets: Uint8Array): boolean {
  if (octets.length < ikeHeaderLength || octets[17] !== 0x20) return false;
  const exchangeType = octets[18]!;
  return (
    exchangeType >= 34 &&
    exchangeType <= 44 &&
    (octets[19]! & ~0x38) === 0 &&
    readU32(octets, 24) === octets.length &&
    (readU32(octets, 0) !== 0 || readU32(octets, 4) !== 0)
  );
}
