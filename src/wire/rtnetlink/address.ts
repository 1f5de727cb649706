// Addresses of a device: struct ifaddrmsg.
import { writeNetlinkAttribute } from '../netlink/index.ts';
import { Writer } from '../writer.ts';
import { familyOf } from './family.ts';

export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
/** No search for duplicates: the address is of use soon. */
const IFA_F_NODAD = 2;

/** One address without a network around it. Throws `WireError('length')` unless it has 4 or 16 octets. */
export function encodeHostAddress(index: number, address: Uint8Array): Uint8Array {
  const writer = new Writer()
    .u8(familyOf(address, 'IFA_LOCAL'), 'ifa_family')
    .u8(address.length * 8, 'ifa_prefixlen')
    .u8(address.length === 16 ? IFA_F_NODAD : 0, 'ifa_flags')
    .u8(0, 'ifa_scope')
    .u32LittleEndian(index, 'ifa_index');
  writeNetlinkAttribute(writer, IFA_LOCAL, address);
  writeNetlinkAttribute(writer, IFA_ADDRESS, address);
  return writer.finish();
}
