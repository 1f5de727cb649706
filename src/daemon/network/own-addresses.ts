// The addresses that this machine has.
import { networkInterfaces } from 'node:os';
import { type IpAddress, parseAddress } from '#sa';

export function ownAddresses(): ReadonlySet<IpAddress> {
  return addressesWhere(() => true);
}

/** By which others reach it: not those of loopback or of our own device, where traffic from inside of tunnels arrives. */
export function reachableAddresses(tunName: string | undefined): ReadonlySet<IpAddress> {
  return addressesWhere((device, internal) => !internal && device !== tunName);
}

function addressesWhere(counts: (device: string, internal: boolean) => boolean): ReadonlySet<IpAddress> {
  const addresses = new Set<IpAddress>();
  for (const [device, all] of Object.entries(networkInterfaces())) {
    for (const one of all ?? []) {
      const address = counts(device, one.internal) ? parseAddress(one.address) : undefined;
      if (address !== undefined) addresses.add(address);
    }
  }
  return addresses;
}
