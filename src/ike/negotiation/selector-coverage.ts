// Whether traffic selectors together describe all that others describe: set difference on boxes of addresses and ports.
import { addressBytes, type IpAddress, sameFamily, type TrafficSelector } from '#sa';

/** Inclusive ranges of addresses and ports. */
interface Box {
  readonly start: bigint;
  readonly end: bigint;
  readonly startPort: number;
  readonly endPort: number;
}

function addressNumber(address: IpAddress): bigint {
  return addressBytes(address).reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}

function isOpaque(selector: TrafficSelector): boolean {
  return selector.startPort === 65535 && selector.endPort === 0;
}

function boxOf(selector: TrafficSelector, startPort: number, endPort: number): Box {
  return { start: addressNumber(selector.start), end: addressNumber(selector.end), startPort, endPort };
}

/** What of `inner`'s packets `outer` describes too, at least in addresses and ports; `undefined` if nothing. */
function boxWithin(outer: TrafficSelector, inner: TrafficSelector): Box | undefined {
  if (!sameFamily(outer.start, inner.start)) return undefined;
  if (outer.protocol !== 0 && outer.protocol !== inner.protocol) return undefined;
  const allPorts = outer.startPort === 0 && outer.endPort === 65535;
  // RFC 7296 3.13.1: packets whose ports cannot be seen form a value of their own, here the only one.
  if (isOpaque(inner)) return isOpaque(outer) || allPorts ? boxOf(outer, 0, 0) : undefined;
  return isOpaque(outer) ? undefined : boxOf(outer, outer.startPort, outer.endPort);
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

/** Whether every packet that one of `inner` describes is described by one or several of `outer` together. */
export function selectorsCover(
  outer: readonly TrafficSelector[],
  inner: readonly TrafficSelector[],
): boolean {
  return inner.every((selector) => {
    const whole = isOpaque(selector)
      ? boxOf(selector, 0, 0)
      : boxOf(selector, selector.startPort, selector.endPort);
    let left: Box[] = [whole];
    for (const other of outer) {
      const taken = boxWithin(other, selector);
      if (taken !== undefined) left = left.flatMap((box) => subtract(box, taken));
    }
    return left.length === 0;
  });
}

/** How many combinations of address, port and protocol the selectors describe; overlaps count more than once. */
export function selectorsVolume(selectors: readonly TrafficSelector[]): bigint {
  return selectors.reduce((sum, selector) => {
    const { start, end } = boxOf(selector, 0, 0);
    const ports = isOpaque(selector) ? 1 : selector.endPort - selector.startPort + 1;
    const protocols = selector.protocol === 0 ? 256 : 1;
    return sum + (end - start + 1n) * BigInt(ports * protocols);
  }, 0n);
}
