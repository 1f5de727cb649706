// Routes: struct rtmsg.
import { netlinkU32, writeNetlinkAttribute } from '../netlink/index.ts';
import { Writer } from '../writer.ts';
import { familyOf } from './family.ts';
import { tableOctet, writeTable } from './table.ts';

export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;

const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_PREFSRC = 7;
const RTA_TABLE = 15;
/** RTPROT_BOOT, as whoever sets routes by hand. */
const protocolBoot = 3;
const scopeLink = 253;
const scopeNowhere = 255;
const typeUnicast = 1;

/** A route into a device, without a gateway. */
export interface DeviceRoute {
  /** 4 or 16 octets. */
  readonly destination: Uint8Array;
  readonly prefixLength: number;
  readonly deviceIndex: number;
  readonly table: number;
  /** Source address of packets of this machine itself. */
  readonly source?: Uint8Array;
}

/** Throws `WireError('length')` for addresses that are none. */
export function encodeNewRoute(route: DeviceRoute): Uint8Array {
  const scope = route.destination.length === 4 ? scopeLink : 0;
  return encodeRoute(route, protocolBoot, scope, typeUnicast);
}

/** Whatever protocol and scope it has. Throws `WireError('length')` for addresses that are none. */
export function encodeDeletedRoute(route: Omit<DeviceRoute, 'source'>): Uint8Array {
  return encodeRoute(route, 0, scopeNowhere, 0);
}

function encodeRoute(route: DeviceRoute, protocol: number, scope: number, type: number): Uint8Array {
  const { destination, prefixLength, deviceIndex, table, source } = route;
  const writer = new Writer()
    .u8(familyOf(destination, 'RTA_DST'), 'rtm_family')
    .u8(prefixLength, 'rtm_dst_len')
    .u8(0, 'rtm_src_len')
    .u8(0, 'rtm_tos')
    .u8(tableOctet(table), 'rtm_table')
    .u8(protocol, 'rtm_protocol')
    .u8(scope, 'rtm_scope')
    .u8(type, 'rtm_type')
    .u32LittleEndian(0, 'rtm_flags');
  if (prefixLength > 0) writeNetlinkAttribute(writer, RTA_DST, destination);
  if (source !== undefined) writeNetlinkAttribute(writer, RTA_PREFSRC, source);
  writeNetlinkAttribute(writer, RTA_OIF, netlinkU32(deviceIndex));
  writeTable(writer, RTA_TABLE, table);
  return writer.finish();
}
