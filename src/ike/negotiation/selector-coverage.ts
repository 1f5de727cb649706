// Whether traffic selectors together describe all that others describe: set difference on boxes of addresses and ports.
import type { TrafficSelector } from '#sa';
import { contains, isOpaque, overlap, type RangedSelector, ranged } from './ranged-selector.ts';

/** Inclusive ranges of addresses and ports. */
interface Box {
  readonly start: bigint;
  readonly end: bigint;
  readonly startPort: number;
  readonly endPort: number;
}

function boxOf({ start, end }: RangedSelector, startPort: number, endPort: number): Box {
  return { start, end, startPort, endPort };
}

/** What `outer` describes of packets with the family and protocol of `inner`; `undefined` if nothing. */
function boxFor(outer: RangedSelector, inner: RangedSelector): Box | undefined {
  if (outer.ipv6 !== inner.ipv6) return undefined;
  const { protocol, startPort, endPort } = outer.selector;
  if (protocol !== 0 && protocol !== inner.selector.protocol) return undefined;
  const allPorts = startPort === 0 && endPort === 65535;
  // RFC 7296 3.13.1: packets whose ports cannot be seen form a value of their own, here the only one.
  if (isOpaque(inner.selector)) return isOpaque(outer.selector) || allPorts ? boxOf(outer, 0, 0) : undefined;
  return isOpaque(outer.selector) ? undefined : boxOf(outer, startPort, endPort);
}

function inOrder(a: bigint, b: bigint): readonly [bigint, bigint] {
  if (a <= b) return [a, b];
  return [b, a];
}

function subtract(from: Box, taken: Box): Box[] {
  const [, start] = inOrder(from.start, taken.start);
  const [end] = inOrder(from.end, taken.end);
  const startPort = Math.max(taken.startPort, from.startPort);
  const endPort = Math.min(taken.endPort, from.endPort);
  if (start > end || startPort > endPort) return [from];
  const left: Box[] = [];
  if (from.start < start) left.push({ ...from, end: start - 1n });
  if (end < from.end) left.push({ ...from, start: end + 1n });
  if (from.startPort < startPort) left.push({ ...from, start, end, endPort: startPort - 1 });
  if (endPort < from.endPort) left.push({ ...from, start, end, startPort: endPort + 1 });
  return left;
}

/** Crossing strips cut a box into ever more pieces, and a peer may send 255 of them: honest selectors take few cuts. */
const cutsMax = 4_096;

/**
 * Whether every packet that one of `inner` describes is described by one or several of `outer` together. What would take too
 * many cuts to tell is not.
 */
export function selectorsCover(
  outer: readonly TrafficSelector[],
  inner: readonly TrafficSelector[],
): boolean {
  const others = outer.map(ranged);
  let cuts = 0;
  return inner.map(ranged).every((one) => {
    const { selector } = one;
    if (others.some((other) => contains(other, one))) return true;
    let left = [isOpaque(selector) ? boxOf(one, 0, 0) : boxOf(one, selector.startPort, selector.endPort)];
    for (const other of others) {
      const taken = overlap(other, one) ? boxFor(other, one) : undefined;
      if (taken === undefined) continue;
      cuts += left.length;
      if (cuts > cutsMax) return false;
      left = left.flatMap((box) => subtract(box, taken));
    }
    return left.length === 0;
  });
}

/** How many combinations of address, port and protocol the selectors describe; overlaps count more than once. */
export function selectorsVolume(selectors: readonly TrafficSelector[]): bigint {
  return selectors.reduce((sum, selector) => {
    const { start, end } = ranged(selector);
    const ports = isOpaque(selector) ? 1 : selector.endPort - selector.startPort + 1;
    const protocols = selector.protocol === 0 ? 256 : 1;
    return sum + (end - start + 1n) * BigInt(ports * protocols);
  }, 0n);
}
