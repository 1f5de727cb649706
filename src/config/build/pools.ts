// `pools` subsections -> PoolConfiguration.
import type { PoolConfiguration } from '#engine';
import { compareAddresses, type IpAddress, isIpv6, prefixRange } from '#sa';
import type { Settings } from '../options/check.ts';
import type { BuildContext } from './context.ts';

export function buildPools(
  sections: readonly Settings[],
  context: BuildContext,
): readonly PoolConfiguration[] {
  const pools: PoolConfiguration[] = [];
  for (const settings of sections) {
    const addresses = settings.value('addrs', 'pool-addresses');
    const { name, position } = settings.section;
    if (addresses === undefined) {
      if (settings.section.settings.get('addrs')?.value === undefined) {
        context.findings.error('missing', position, `pool "${name}" needs the option "addrs"`);
      }
      continue;
    }
    const overlapping = pools.find((pool) => overlap(pool.addresses, addresses));
    if (overlapping !== undefined) {
      context.findings.error(
        'conflict',
        settings.position('addrs'),
        `the addresses of pool "${name}" are also those of pool "${overlapping.name}"`,
      );
    }
    const nbns = settings.value('nbns', 'ip-addresses') ?? [];
    if (nbns.some(isIpv6)) {
      context.findings.error(
        'unsupported',
        settings.position('nbns'),
        'IKEv2 has no attribute for NBNS over IPv6',
      );
    }
    pools.push({
      name,
      addresses,
      dns: settings.value('dns', 'ip-addresses') ?? [],
      nbns,
      subnets: settings.value('subnet', 'blocks') ?? [],
    });
  }
  return pools;
}

type Addresses = PoolConfiguration['addresses'];

function overlap(a: Addresses, b: Addresses): boolean {
  const one = range(a);
  const other = range(b);
  return (
    isIpv6(one.start) === isIpv6(other.start) &&
    compareAddresses(one.start, other.end) <= 0 &&
    compareAddresses(other.start, one.end) <= 0
  );
}

function range(addresses: Addresses): { readonly start: IpAddress; readonly end: IpAddress } {
  return 'start' in addresses ? addresses : prefixRange(addresses);
}
