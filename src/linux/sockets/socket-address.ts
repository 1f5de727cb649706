// struct sockaddr_in and sockaddr_in6 <-> endpoints.
import { addressBytes, addressFromBytes, type Endpoint, type IpAddress, isIpv6 } from '#sa';
import { readU32 } from '#wire';
import { AF_INET, AF_INET6 } from '../libc/constants.ts';
import { pinned } from '../libc/libc.ts';

/** Octets of the larger of the two structures. */
export const socketAddressBytes = 28;

/** Writes `endpoint` into `out` and tells how many octets of it the kernel must read. */
export function writeSocketAddress(endpoint: Endpoint, out: Uint8Array): number {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  out.fill(0);
  const bytes = addressBytes(endpoint.address);
  view.setUint16(2, endpoint.port);
  if (isIpv6(endpoint.address)) {
    view.setUint16(0, AF_INET6, true);
    out.set(bytes, 8);
    return 28;
  }
  view.setUint16(0, AF_INET, true);
  out.set(bytes, 4);
  return 16;
}

export function socketAddress(endpoint: Endpoint): Uint8Array {
  const out = pinned(socketAddressBytes);
  return out.subarray(0, writeSocketAddress(endpoint, out));
}

/** Reads what the kernel wrote. */
export function readSocketAddress(octets: Uint8Array): Endpoint {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const family = view.getUint16(0, true);
  const bytes = family === AF_INET6 ? octets.subarray(8, 24) : octets.subarray(4, 8);
  return { address: addressFromBytes(bytes), port: view.getUint16(2) };
}

/** Of a socket address, where the IP address begins and ends. */
const addressAt = { 4: 4, 6: 8 } as const;
const addressEnd = { 4: 8, 6: 24 } as const;

/** A hash of 32 bits of port and address, for much less than an endpoint costs. */
export function socketAddressHash(octets: Uint8Array, at: number, family: 4 | 6): number {
  let hash = 0x811c_9dc5;
  for (let i = at + 2; i < at + addressEnd[family]; i++) hash = Math.imul(hash ^ octets[i]!, 0x0100_0193);
  return hash >>> 0;
}

/** The words of the address, combined by exclusive or. */
export function foldedSocketAddress(octets: Uint8Array, at: number, family: 4 | 6): number {
  return foldedWords(octets, at + addressAt[family], at + addressEnd[family]);
}

export function foldedAddress(address: IpAddress): number {
  const octets = addressBytes(address);
  return foldedWords(octets, 0, octets.length);
}

function foldedWords(octets: Uint8Array, at: number, end: number): number {
  let fold = 0;
  for (let i = at; i < end; i += 4) fold ^= readU32(octets, i);
  return fold >>> 0;
}
