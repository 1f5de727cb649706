// Addresses inside parameters: always 16 octets, IPv4 as IPv4-mapped IPv6 (RFC 8046 4.2, RFC 8004 4.2.2).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

const mappedPrefix = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

/** 4 octets for an IPv4-mapped address, else 16. */
export function decodeAddress(reader: Reader, field: string): Uint8Array {
  const octets = reader.bytes(16, field);
  return mappedPrefix.every((octet, at) => octets[at] === octet) ? octets.subarray(12) : octets;
}

export function encodeAddress(writer: Writer, address: Uint8Array, field: string): void {
  if (address.length === 4) writer.bytes(mappedPrefix);
  else if (address.length !== 16) throw writer.fail('length', field, `${address.length} octets`);
  writer.bytes(address);
}
