// Traffic selectors with their addresses as numbers: a peer may send 255 on either side, and texts are slow to compare.
import {
  addressBytes,
  containsSelector,
  type IpAddress,
  intersectSelectors,
  isIpv6,
  type TrafficSelector,
} from '#sa';

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

function overlap(a: RangedSelector, b: RangedSelector): boolean {
  return a.ipv6 === b.ipv6 && a.start <= b.end && b.start <= a.end;
}

function contains(outer: RangedSelector, inner: RangedSelector): boolean {
  const encloses = outer.ipv6 === inner.ipv6 && outer.start <= inner.start && inner.end <= outer.end;
  return encloses && containsSelector(outer.selector, inner.selector);
}

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
  for (const wanted of proposed.map(ranged)) {
    for (const other of allowed) {
      if (result.length === max || !overlap(wanted, other)) continue;
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
