// Rules that choose a routing table: struct fib_rule_hdr.
import { netlinkU32, writeNetlinkAttribute } from '../netlink/index.ts';
import { Writer } from '../writer.ts';
import { familyOfVersion } from './family.ts';
import { tableOctet, writeTable } from './table.ts';

export const RTM_NEWRULE = 32;
export const RTM_DELRULE = 33;

const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_TABLE = 15;
const FIB_RULE_INVERT = 2;
const FR_ACT_TO_TBL = 1;

/** Packets without this mark look into this table, in the order of priorities. */
export interface UnmarkedRule {
  readonly version: 4 | 6;
  readonly mark: number;
  readonly table: number;
  readonly priority: number;
}

/** To make the rule, or to delete it. */
export function encodeRule({ version, mark, table, priority }: UnmarkedRule): Uint8Array {
  const writer = new Writer()
    .u8(familyOfVersion(version), 'family')
    .u8(0, 'dst_len')
    .u8(0, 'src_len')
    .u8(0, 'tos')
    .u8(tableOctet(table), 'table')
    .zeros(2)
    .u8(FR_ACT_TO_TBL, 'action')
    .u32LittleEndian(FIB_RULE_INVERT, 'flags');
  writeNetlinkAttribute(writer, FRA_FWMARK, netlinkU32(mark));
  writeNetlinkAttribute(writer, FRA_PRIORITY, netlinkU32(priority));
  writeTable(writer, FRA_TABLE, table);
  return writer.finish();
}
