// Host Identity Tags as addresses: upper layers see a HIT where an IPv6 address stands (RFC 7401 3.1, RFC 7343 2).
import { type Hit, hitBytes, hitFromBytes, orchidPrefix } from '#wire';
import { addressBytes, addressFromBytes, type IpAddress, isIpv6 } from './address.ts';

/** The HIT as an IPv6 address in canonical text, as people and selectors write it. */
export function hitAddress(hit: Hit): IpAddress {
  return addressFromBytes(hitBytes(hit));
}

/** The HIT that an address is; `undefined` unless it is an ORCHID of version 2, in 2001:20::/28. */
export function hitFromAddress(address: IpAddress): Hit | undefined {
  if (!isIpv6(address)) return undefined;
  const hit = hitFromBytes(addressBytes(address));
  return hit.startsWith(orchidPrefix) ? hit : undefined;
}

/** RFC 7401 6.5: whether this host is HOST_g, the one with the greater HIT. Digits compare as the numbers do. */
export function isGreaterHit(hit: Hit, other: Hit): boolean {
  return hit > other;
}
