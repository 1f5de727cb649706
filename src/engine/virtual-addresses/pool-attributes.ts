// What a pool gives beside addresses and name servers, as configuration attributes (RFC 7296 3.15.1).
import { addressBytes, isIpv6, type Prefix, prefixRange } from '#sa';
import { CfgAttribute } from '#wire';
import type { PoolLease } from './address-pools.ts';

export interface PoolAttribute {
  readonly type: number;
  readonly value: Uint8Array;
}

export function poolAttributes({ nbns, subnets }: Pick<PoolLease, 'nbns' | 'subnets'>): PoolAttribute[] {
  return [
    ...nbns.map((address) => ({ type: CfgAttribute.INTERNAL_IP4_NBNS, value: addressBytes(address) })),
    ...subnets.map(subnetAttribute),
  ];
}

/** IPv4: address and netmask. IPv6: address and prefix length. */
function subnetAttribute(prefix: Prefix): PoolAttribute {
  const first = addressBytes(prefixRange(prefix).start);
  if (isIpv6(prefix.address)) {
    return { type: CfgAttribute.INTERNAL_IP6_SUBNET, value: Uint8Array.of(...first, prefix.length) };
  }
  const mask = new Uint8Array(4);
  new DataView(mask.buffer).setUint32(0, prefix.length === 0 ? 0 : 0xffff_ffff << (32 - prefix.length));
  return { type: CfgAttribute.INTERNAL_IP4_SUBNET, value: Uint8Array.of(...first, ...mask) };
}
