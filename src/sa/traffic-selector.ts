// Traffic selectors (RFC 7296 3.13, RFC 4301 4.4.1.1) and their algebra.
import {
  addressBytes,
  addressFromBytes,
  compareAddresses,
  type IpAddress,
  isIpv6,
  parsePrefix,
  prefixRange,
} from './address.ts';

/**
 * One traffic selector: an address range, an IP protocol (0 = any) and a port range. For ICMP the ports hold
 * type << 8 | code. `startPort` 65535 with `endPort` 0 is OPAQUE (RFC 7296 3.13.1).
 */
export interface TrafficSelector {
  readonly protocol: number;
  readonly startPort: number;
  readonly endPort: number;
  readonly start: IpAddress;
  readonly end: IpAddress;
}

/** All ports of all protocols of an address range. */
export function selectorOfRange(start: IpAddress, end: IpAddress): TrafficSelector {
  return { protocol: 0, startPort: 0, endPort: 65535, start, end };
}

/** Text such as `10.0.0.0/24` -> selector; `undefined` if it is no address block. */
export function selectorOfPrefix(text: string): TrafficSelector | undefined {
  const prefix = parsePrefix(text);
  if (prefix === undefined) return undefined;
  const { start, end } = prefixRange(prefix);
  return selectorOfRange(start, end);
}

export function sameFamily(a: IpAddress, b: IpAddress): boolean {
  return isIpv6(a) === isIpv6(b);
}

function isOpaque(selector: TrafficSelector): boolean {
  return selector.startPort === 65535 && selector.endPort === 0;
}

/** The traffic that both describe, or `undefined` if there is none. */
export function intersectSelectors(a: TrafficSelector, b: TrafficSelector): TrafficSelector | undefined {
  if (!sameFamily(a.start, b.start)) return undefined;
  if (a.protocol !== 0 && b.protocol !== 0 && a.protocol !== b.protocol) return undefined;
  const start = compareAddresses(a.start, b.start) >= 0 ? a.start : b.start;
  const end = compareAddresses(a.end, b.end) <= 0 ? a.end : b.end;
  if (compareAddresses(start, end) > 0) return undefined;
  const protocol = a.protocol === 0 ? b.protocol : a.protocol;
  // RFC 7296 3.13.1: OPAQUE matches only OPAQUE, or a selector for all ports.
  const full = (s: TrafficSelector): boolean => s.startPort === 0 && s.endPort === 65535;
  if (isOpaque(a) || isOpaque(b)) {
    if ((isOpaque(a) || full(a)) && (isOpaque(b) || full(b))) {
      return { protocol, startPort: 65535, endPort: 0, start, end };
    }
    return undefined;
  }
  const startPort = Math.max(a.startPort, b.startPort);
  const endPort = Math.min(a.endPort, b.endPort);
  if (startPort > endPort) return undefined;
  return { protocol, startPort, endPort, start, end };
}

export function equalSelectors(a: TrafficSelector, b: TrafficSelector): boolean {
  return (
    a.protocol === b.protocol &&
    a.startPort === b.startPort &&
    a.endPort === b.endPort &&
    a.start === b.start &&
    a.end === b.end
  );
}

/** Whether everything that `inner` describes is described by `outer`. */
export function containsSelector(outer: TrafficSelector, inner: TrafficSelector): boolean {
  const common = intersectSelectors(outer, inner);
  return common !== undefined && equalSelectors(common, inner);
}

/**
 * RFC 7296 2.9: the part of the proposed selectors that the policy allows, in the order of the proposal, without
 * entries that another entry of the result contains.
 */
export function narrowSelectors(
  proposed: readonly TrafficSelector[],
  policy: readonly TrafficSelector[],
): TrafficSelector[] {
  const result: TrafficSelector[] = [];
  for (const wanted of proposed) {
    for (const allowed of policy) {
      const common = intersectSelectors(wanted, allowed);
      if (common === undefined || result.some((known) => containsSelector(known, common))) continue;
      result.push(common);
    }
  }
  return result.filter(
    (one, i) => !result.some((other, j) => i !== j && j > i && containsSelector(other, one)),
  );
}

/** Whether a list of selectors describes a packet with these fields. */
export function matchesSelectors(
  selectors: readonly TrafficSelector[],
  packet: { readonly address: IpAddress; readonly protocol: number; readonly port: number },
): boolean {
  return selectors.some(
    (selector) =>
      sameFamily(selector.start, packet.address) &&
      compareAddresses(selector.start, packet.address) <= 0 &&
      compareAddresses(packet.address, selector.end) <= 0 &&
      (selector.protocol === 0 || selector.protocol === packet.protocol) &&
      packet.port >= selector.startPort &&
      packet.port <= selector.endPort,
  );
}

/** The block that a range is, if it is one: `10.1.0.0/24`; otherwise `first..last`. */
export function formatRange(start: IpAddress, end: IpAddress): string {
  const first = addressBytes(start);
  const last = addressBytes(end);
  let length = 0;
  const bits = first.length * 8;
  const bit = (bytes: Uint8Array, i: number): number => (bytes[i >> 3]! >> (7 - (i & 7))) & 1;
  while (length < bits && bit(first, length) === bit(last, length)) length++;
  for (let i = length; i < bits; i++) {
    if (bit(first, i) !== 0 || bit(last, i) !== 1) return `${start}..${end}`;
  }
  return `${start}/${length}`;
}

/** As swanctl prints selectors: `10.1.0.0/24`, `10.1.0.0/24[tcp/80]`, `::/0[17/1000-2000]`. */
export function formatSelector(selector: TrafficSelector): string {
  const range = formatRange(selector.start, selector.end);
  const allPorts = selector.startPort === 0 && selector.endPort === 65535;
  if (selector.protocol === 0 && allPorts) return range;
  const names: Record<number, string> = { 0: '', 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'ipv6-icmp' };
  const protocol = names[selector.protocol] ?? String(selector.protocol);
  if (allPorts) return `${range}[${protocol}]`;
  const ports = isOpaque(selector)
    ? 'OPAQUE'
    : selector.startPort === selector.endPort
      ? String(selector.startPort)
      : `${selector.startPort}-${selector.endPort}`;
  return `${range}[${protocol}/${ports}]`;
}

/** The smallest selector for one packet, as the first in TSi and TSr should be (RFC 7296 2.9). */
export function selectorOfPacket(protocol: number, addressOctets: Uint8Array, port: number): TrafficSelector {
  const address = addressFromBytes(addressOctets);
  return { protocol, startPort: port, endPort: port, start: address, end: address };
}
