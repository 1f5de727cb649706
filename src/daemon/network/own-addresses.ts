// The addresses that this machine has.
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { type IpAddress, isLoopback, parseAddress } from '#sa';

export function ownAddresses(): ReadonlySet<IpAddress> {
  return addressesWhere(networkInterfaces(), () => true);
}

/** By which others reach it: no loopback addresses, and none of our own device, where traffic from inside of tunnels arrives. */
export function reachableAddresses(
  tunName: string | undefined,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): ReadonlySet<IpAddress> {
  return addressesWhere(interfaces, (device, address) => device !== tunName && !isLoopback(address));
}

function addressesWhere(
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
  counts: (device: string, address: IpAddress) => boolean,
): ReadonlySet<IpAddress> {
  const addresses = new Set<IpAddress>();
  for (const [device, all] of Object.entries(interfaces)) {
    for (const one of all ?? []) {
      const address = parseAddress(one.address);
      if (address !== undefined && counts(device, address)) addresses.add(address);
    }
  }
  return addresses;
}
