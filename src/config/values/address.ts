// Addresses of IKE peers and of pools, as people write them.

import type { RemoteAddress } from '#engine';
import {
  address,
  compareAddresses,
  type IpAddress,
  isIpv6,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '#sa';
import { BadValue } from './bad-value.ts';

/** `%any`, an address, a block, a range `first-last`, or a host name. */
export function parseRemoteAddress(text: string): RemoteAddress {
  if (text === '%any') return { kind: 'any' };
  if (text === '%any4' || text === '0.0.0.0') {
    return { kind: 'prefix', prefix: { address: address('0.0.0.0'), length: 0 } };
  }
  if (text === '%any6' || text === '::') {
    return { kind: 'prefix', prefix: { address: address('::'), length: 0 } };
  }
  const single = parseAddress(text);
  if (single !== undefined) return { kind: 'address', address: single };
  if (text.includes('/')) {
    const prefix = parsePrefix(text);
    if (prefix !== undefined) return { kind: 'prefix', prefix };
  }
  const range = parseRange(text);
  if (range !== undefined) return { kind: 'range', ...range };
  if (isHostName(text)) return { kind: 'host', name: text };
  throw new BadValue('an address, a block such as 10.0.0.0/8, a range first-last, a host name or %any');
}

export function parseIpAddress(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new BadValue('IPv4 or IPv6 addresses');
  return parsed;
}

export function parseIpv4Address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined || isIpv6(parsed)) throw new BadValue('an IPv4 address');
  return parsed;
}

export function parseBlock(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new BadValue('address blocks such as 10.0.0.0/8');
  return prefix;
}

/** A block, or a range `first-last`. */
export function parsePoolAddresses(
  text: string,
): Prefix | { readonly start: IpAddress; readonly end: IpAddress } {
  const parsed = parsePrefix(text) ?? parseRange(text);
  if (parsed === undefined) throw new BadValue('a block such as 10.3.0.0/24, or a range first-last');
  return parsed;
}

/** `10.0.0.1-10.0.0.9`; `undefined` if it is no range, ends before it starts or mixes families. */
export function parseRange(text: string): { readonly start: IpAddress; readonly end: IpAddress } | undefined {
  const [first, last, more] = text.split('-');
  if (first === undefined || last === undefined || more !== undefined) return undefined;
  const start = parseAddress(first.trim());
  const end = parseAddress(last.trim());
  if (start === undefined || end === undefined || isIpv6(start) !== isIpv6(end)) return undefined;
  return compareAddresses(start, end) > 0 ? undefined : { start, end };
}

/** RFC 1123 2.1; a last label of digits only would be a mistyped address. */
function isHostName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  return (
    text.length <= 253 &&
    labels.every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1)!)
  );
}
