// Network devices: struct ifinfomsg.
import { netlinkText, netlinkU32, writeNetlinkAttribute } from '../netlink/index.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';

export const RTM_SETLINK = 19;
export const RTM_GETLINK = 18;

const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFF_UP = 1;

function writeLink(writer: Writer, index: number, flags: number, change: number): void {
  writer
    .u8(0, 'ifi_family')
    .zeros(1)
    .u16LittleEndian(0, 'ifi_type')
    .u32LittleEndian(index, 'ifi_index')
    .u32LittleEndian(flags, 'ifi_flags')
    .u32LittleEndian(change, 'ifi_change');
}

/** Asks for the device of a name. */
export function encodeLinkQuestion(name: string): Uint8Array {
  const writer = new Writer();
  writeLink(writer, 0, 0, 0);
  writeNetlinkAttribute(writer, IFLA_IFNAME, netlinkText(name));
  return writer.finish();
}

/** The number of the device that an answer is about. Throws `WireError`. */
export function decodeLinkIndex(payload: Uint8Array): number {
  const reader = new Reader(payload);
  reader.skip(4, 'ifi_type');
  return reader.u32LittleEndian('ifi_index');
}

/** Brings a device up with this MTU. */
export function encodeLinkUp(index: number, mtuBytes: number): Uint8Array {
  const writer = new Writer();
  writeLink(writer, index, IFF_UP, IFF_UP);
  writeNetlinkAttribute(writer, IFLA_MTU, netlinkU32(mtuBytes));
  return writer.finish();
}
