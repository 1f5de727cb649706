// Traffic selectors prepared for comparison with packets: octets instead of text.
import { addressBytes, isIpv6, type SaSelectors, type TrafficSelector } from '#sa';
import type { PacketFields } from '../packet/packet-fields.ts';

interface PreparedSelector {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  readonly protocol: number;
  readonly startPort: number;
  readonly endPort: number;
  readonly anyPort: boolean;
  readonly opaquePort: boolean;
}

/** Which way a packet crosses the IPsec boundary. */
export type Crossing = 'outbound' | 'inbound';

/** The selectors of one SA or policy. */
export class SelectorMatcher {
  readonly #local: readonly PreparedSelector[];
  readonly #remote: readonly PreparedSelector[];
  /** RFC 4301 7.1: whether no selector looks at ports, so that later fragments match like first ones. */
  readonly ignoresPorts: boolean;

  constructor(selectors: SaSelectors) {
    this.#local = selectors.local.map(prepare);
    this.#remote = selectors.remote.map(prepare);
    this.ignoresPorts = [...this.#local, ...this.#remote].every((selector) => selector.anyPort);
  }

  /** Outbound, the source is local; inbound, the destination is. */
  matches(bytes: Uint8Array, fields: PacketFields, crossing: Crossing): boolean {
    return crossing === 'outbound'
      ? matchesEnd(this.#local, bytes, fields, fields.sourceOffset, fields.sourcePort) &&
          matchesEnd(this.#remote, bytes, fields, fields.destinationOffset, fields.destinationPort)
      : matchesEnd(this.#local, bytes, fields, fields.destinationOffset, fields.destinationPort) &&
          matchesEnd(this.#remote, bytes, fields, fields.sourceOffset, fields.sourcePort);
  }
}

function prepare(selector: TrafficSelector): PreparedSelector {
  if (isIpv6(selector.start) !== isIpv6(selector.end))
    throw new RangeError('a selector has one address family');
  return {
    start: addressBytes(selector.start),
    end: addressBytes(selector.end),
    protocol: selector.protocol,
    startPort: selector.startPort,
    endPort: selector.endPort,
    anyPort: selector.startPort === 0 && selector.endPort === 65535,
    opaquePort: selector.startPort === 65535 && selector.endPort === 0,
  };
}

function matchesEnd(
  selectors: readonly PreparedSelector[],
  bytes: Uint8Array,
  fields: PacketFields,
  addressAt: number,
  port: number,
): boolean {
  for (const selector of selectors) {
    if (selector.start.length !== fields.addressLength) continue;
    if (selector.protocol !== 0 && selector.protocol !== fields.protocol) continue;
    // RFC 4301 4.4.1: ANY includes OPAQUE, and OPAQUE matches only packets that show no port.
    const portMatches =
      selector.anyPort ||
      (fields.portsOpaque
        ? selector.opaquePort
        : !selector.opaquePort && port >= selector.startPort && port <= selector.endPort);
    if (!portMatches) continue;
    if (compare(selector.start, bytes, addressAt) <= 0 && compare(selector.end, bytes, addressAt) >= 0)
      return true;
  }
  return false;
}

function compare(address: Uint8Array, bytes: Uint8Array, at: number): number {
  for (let i = 0; i < address.length; i++) {
    const difference = address[i]! - bytes[at + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
