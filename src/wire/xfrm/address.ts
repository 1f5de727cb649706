// xfrm_address_t: sixteen octets, of which an IPv4 address takes the first four; the family is told elsewhere.
import { requireLength } from '../field.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { XfrmFamily } from './numbers.ts';

const addressBytesMax = 16;

/** How many octets an address of a family has here; of the unspecified family all. */
export function xfrmAddressLength(family: number): number {
  return family === XfrmFamily.IPV4 ? 4 : addressBytesMax;
}

/** The whole field: its family may come later. */
export function readRawAddress(reader: Reader, field: string): Uint8Array {
  return reader.bytes(addressBytesMax, field);
}

/** What of a field is the address: a view. */
export function addressOfFamily(raw: Uint8Array, family: number): Uint8Array {
  return raw.subarray(0, xfrmAddressLength(family));
}

export function writeAddress(writer: Writer, address: Uint8Array, family: number, field: string): void {
  requireLength(address, xfrmAddressLength(family), writer.length, field);
  writer.bytes(address).zeros(addressBytesMax - address.length);
}

/** Reads AF_UNSPEC, AF_INET or AF_INET6. */
export function readFamily(reader: Reader, field: string): number {
  const at = reader.offset;
  const family = reader.u16LittleEndian(field);
  checkFamily(family, () => reader.failAt(at, 'value', field, `family ${family}`));
  return family;
}

export function writeFamily(writer: Writer, family: number, field: string): void {
  checkFamily(family, () => writer.fail('value', field, `family ${family}`));
  writer.u16LittleEndian(family, field);
}

function checkFamily(family: number, refuse: () => Error): void {
  if (family !== XfrmFamily.UNSPECIFIED && family !== XfrmFamily.IPV4 && family !== XfrmFamily.IPV6)
    throw refuse();
}
