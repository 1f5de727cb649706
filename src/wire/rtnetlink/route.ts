// Routes: struct rtmsg.
import {
  decodeNetlinkAttributes,
  decodeNetlinkU32,
  netlinkU32,
  readNetlinkAttributes,
  writeNestedNetlinkAttribute,
  writeNetlinkAttribute,
} from '../netlink/index.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { familyOf } from './family.ts';
import { tableOctet, writeTable } from './table.ts';

export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;

const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_TABLE = 15;
const RTA_MARK = 16;
const RTAX_MTU = 2;
/** RTPROT_BOOT, as whoever sets routes by hand. */
const protocolBoot = 3;
const scopeLink = 253;
const scopeNowhere = 255;
const typeUnicast = 1;
const typeLocal = 2;
/** RTNH_F_ONLINK: the gateway is on the device's link, whatever the addresses say. */
const flagOnLink = 4;
const routeHeaderLength = 12;

/** A route into a device. */
export interface DeviceRoute {
  /** 4 or 16 octets. */
  readonly destination: Uint8Array;
  readonly prefixLength: number;
  readonly deviceIndex: number;
  readonly table: number;
  /** Source address of packets of this machine itself. */
  readonly source?: Uint8Array;
  /** The neighbor that takes the packets; absent: the destination itself is on the device's link. */
  readonly gateway?: Uint8Array;
  /** Absent: that of the device. */
  readonly mtuBytes?: number;
}

/** Throws `WireError('length')` for addresses that are none. */
export function encodeNewRoute(route: DeviceRoute): Uint8Array {
  const scope = route.destination.length === 4 && route.gateway === undefined ? scopeLink : 0;
  return encodeRoute(route, protocolBoot, scope, typeUnicast);
}

/** Whatever protocol and scope it has. Throws `WireError('length')` for addresses that are none. */
export function encodeDeletedRoute(route: Omit<DeviceRoute, 'source' | 'gateway' | 'mtuBytes'>): Uint8Array {
  return encodeRoute(route, 0, scopeNowhere, 0);
}

function encodeRoute(route: DeviceRoute, protocol: number, scope: number, type: number): Uint8Array {
  const { destination, prefixLength, deviceIndex, table, source, gateway, mtuBytes } = route;
  const writer = new Writer()
    .u8(familyOf(destination, 'RTA_DST'), 'rtm_family')
    .u8(prefixLength, 'rtm_dst_len')
    .u8(0, 'rtm_src_len')
    .u8(0, 'rtm_tos')
    .u8(tableOctet(table), 'rtm_table')
    .u8(protocol, 'rtm_protocol')
    .u8(scope, 'rtm_scope')
    .u8(type, 'rtm_type')
    .u32LittleEndian(gateway === undefined ? 0 : flagOnLink, 'rtm_flags');
  if (prefixLength > 0) writeNetlinkAttribute(writer, RTA_DST, destination);
  if (gateway !== undefined) writeNetlinkAttribute(writer, RTA_GATEWAY, gateway);
  if (source !== undefined) writeNetlinkAttribute(writer, RTA_PREFSRC, source);
  if (mtuBytes !== undefined) {
    const payload = netlinkU32(mtuBytes);
    writeNestedNetlinkAttribute(writer, RTA_METRICS, [{ type: RTAX_MTU, payload }]);
  }
  writeNetlinkAttribute(writer, RTA_OIF, netlinkU32(deviceIndex));
  writeTable(writer, RTA_TABLE, table);
  return writer.finish();
}

/**
 * Asks which way a packet with this mark would take.
 * @param destination 4 or 16 octets. Throws `WireError('length')` for others.
 */
export function encodeRouteQuestion(destination: Uint8Array, mark: number): Uint8Array {
  const writer = new Writer()
    .u8(familyOf(destination, 'RTA_DST'), 'rtm_family')
    .u8(8 * destination.length, 'rtm_dst_len')
    .zeros(routeHeaderLength - 2);
  writeNetlinkAttribute(writer, RTA_DST, destination);
  writeNetlinkAttribute(writer, RTA_MARK, netlinkU32(mark));
  return writer.finish();
}

export interface NextHop {
  /** Absent: the packet would go nowhere. */
  readonly deviceIndex?: number;
  /** Absent: the destination is on the device's link. */
  readonly gateway?: Uint8Array;
  /** Octets of the largest packet. Absent: what the device carries. */
  readonly mtuBytes?: number;
}

/** Whether the answer to a question says that such a packet is for this machine itself. Throws `WireError`. */
export function leadsHere(answer: Uint8Array): boolean {
  const reader = new Reader(answer);
  reader.skip(7, 'rtmsg');
  return reader.u8('rtm_type') === typeLocal;
}

/** The answer to a question. Throws `WireError`. */
export function decodeNextHop(payload: Uint8Array): NextHop {
  const reader = new Reader(payload);
  reader.skip(routeHeaderLength, 'rtmsg');
  let nextHop: NextHop = {};
  for (const { type, payload: value } of readNetlinkAttributes(reader)) {
    if (type === RTA_OIF) nextHop = { ...nextHop, deviceIndex: decodeNetlinkU32(value) };
    if (type === RTA_GATEWAY) nextHop = { ...nextHop, gateway: value };
    if (type !== RTA_METRICS) continue;
    const mtu = decodeNetlinkAttributes(value).find((metric) => metric.type === RTAX_MTU);
    if (mtu !== undefined) nextHop = { ...nextHop, mtuBytes: decodeNetlinkU32(mtu.payload) };
  }
  return nextHop;
}
