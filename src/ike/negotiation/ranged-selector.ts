// Traffic selectors with their addresses as numbers: a peer may send 255 on either side, and texts are slow to compare.
import { addressBytes, type IpAddress, intersectSelectors, isIpv6, type TrafficSelector } from '#sa';

export interface RangedSelector {
  readonly selector: TrafficSelector;
  readonly ipv6: boolean;
  readonly start: bigint;
  readonly end: bigint;
}

function addressNumber(address: IpAddress): bigint {
  return addressBytes(address).reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}

/** A handshake compares the same few selectors again and again. */
const known = new WeakMap<TrafficSelector, RangedSelector>();

export function ranged(selector: TrafficSelector): RangedSelector {
  const before = known.get(selector);
  if (before !== undefined) return before;
  const start = addressNumber(selector.start);
  const end = selector.end === selector.start ? start : addressNumber(selector.end);
  const result = { selector, ipv6: isIpv6(selector.start), start, end };
  known.set(selector, result);
  return result;
}

export function overlap(a: RangedSelector, b: RangedSelector): boolean {
  return a.ipv6 === b.ipv6 && a.start <= b.end && b.start <= a.end;
}

export function isOpaque({ startPort, endPort }: TrafficSelector): boolean {
  return startPort === 65535 && endPort === 0;
}

/** Whether everything that `inner` describes is described by `outer`. */
export function contains(outer: RangedSelector, inner: RangedSelector): boolean {
  if (outer.ipv6 !== inner.ipv6 || outer.start > inner.start || inner.end > outer.end) return false;
  const { protocol, startPort, endPort } = outer.selector;
  const wanted = inner.selector;
  if (protocol !== 0 && protocol !== wanted.protocol) return false;
  // RFC 7296 3.13.1: OPAQUE is within all ports, and within itself.
  if (isOpaque(wanted)) return isOpaque(outer.selector) || (startPort === 0 && endPort === 65535);
  return startPort <= wanted.startPort && wanted.endPort <= endPort;
}

/** Whether packets could be described by both, as far as that is quickly told. */
function meet(a: RangedSelector, b: RangedSelector): boolean {
  const [one, other] = [a.selector, b.selector];
  if (!overlap(a, b) || (one.protocol !== 0 && other.protocol !== 0 && one.protocol !== other.protocol)) {
    return false;
  }
  if (isOpaque(one) || isOpaque(other)) return true;
  return one.startPort <= other.endPort && other.startPort <= one.endPort;
}

/** A peer may have 255 selectors meet 255 others that it proposed before; honest ones do not meet so often. */
const meetingsMax = 4_096;

/**
 * RFC 7296 2.9, as `narrowSelectors` does it: the part of the proposal that the policy allows, in the order of the
 * proposal, without entries that another one contains.
 * @param max no more than so many: what is beyond is narrowed away
 */
export function narrowRanges(
  proposed: readonly TrafficSelector[],
  policy: readonly TrafficSelector[],
  max: number,
): TrafficSelector[] {
  const allowed = policy.map(ranged);
  const result: RangedSelector[] = [];
  let meetings = 0;
  for (const wanted of proposed.map(ranged)) {
    for (const other of allowed) {
      if (result.length === max || meetings === meetingsMax || !meet(wanted, other)) continue;
      meetings++;
      const common = intersectSelectors(wanted.selector, other.selector);
      if (common === undefined) continue;
      const found = ranged(common);
      if (!result.some((known) => contains(known, found))) result.push(found);
    }
  }
  return result
    .filter((one, i) => !result.some((other, j) => j > i && contains(other, one)))
    .map(({ selector }) => selector);
}
