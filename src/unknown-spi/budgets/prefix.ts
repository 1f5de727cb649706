// What counts as one destination: an IPv4 address by itself, a whole IPv6 /64.
import { addressBytes, type IpAddress } from '#sa';

/** 4 octets, or the first 8 of IPv6: one peer controls the rest. */
export function prefixOctets(address: IpAddress): Uint8Array {
  const octets = addressBytes(address);
  return octets.length === 4 ? octets : octets.subarray(0, 8);
}

/** The prefix as one number, unique over both families: IPv4 stands below 2^32, IPv6 has bit 64 set. */
export function prefixNumber(address: IpAddress): bigint {
  const octets = prefixOctets(address);
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  return octets.length === 4 ? BigInt(view.getUint32(0)) : (1n << 64n) | view.getBigUint64(0);
}
