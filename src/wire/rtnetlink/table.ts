// Numbers of routing tables: an octet of the structure, or an attribute if they are larger.
import { netlinkU32, writeNetlinkAttribute } from '../netlink/index.ts';
import type { Writer } from '../writer.ts';

export function tableOctet(table: number): number {
  return table < 256 ? table : 0;
}

/** Throws `WireError('value')` if it is no number of a table. */
export function writeTable(writer: Writer, attribute: number, table: number): void {
  if (table >= 256) writeNetlinkAttribute(writer, attribute, netlinkU32(table));
}
