// struct xfrm_selector: which packets a policy or an SA is about.
import { requireRange } from '../field.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { addressOfFamily, readFamily, readRawAddress, writeAddress, writeFamily } from './address.ts';

export interface XfrmSelector {
  /** `XfrmFamily`; with the unspecified one everything else may be zero. */
  readonly family: number;
  /** As long as the family's addresses. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePrefixLength: number;
  readonly destinationPrefixLength: number;
  /** Of ICMP: the type. A packet fits if port and this one have the same bits under the mask. */
  readonly sourcePort: number;
  readonly sourcePortMask: number;
  /** Of ICMP: the code. */
  readonly destinationPort: number;
  readonly destinationPortMask: number;
  /** 0 for any. */
  readonly protocol: number;
  /** 0 for any. */
  readonly interfaceIndex: number;
  readonly user: number;
}

export function readSelector(reader: Reader): XfrmSelector {
  const destination = readRawAddress(reader, 'xfrm_selector.daddr');
  const source = readRawAddress(reader, 'xfrm_selector.saddr');
  const destinationPort = reader.u16('xfrm_selector.dport');
  const destinationPortMask = reader.u16('xfrm_selector.dport_mask');
  const sourcePort = reader.u16('xfrm_selector.sport');
  const sourcePortMask = reader.u16('xfrm_selector.sport_mask');
  const family = readFamily(reader, 'xfrm_selector.family');
  const destinationPrefixLength = reader.u8('xfrm_selector.prefixlen_d');
  const sourcePrefixLength = reader.u8('xfrm_selector.prefixlen_s');
  const protocol = reader.u8('xfrm_selector.proto');
  reader.skip(3, 'xfrm_selector.padding');
  const interfaceIndex = reader.u32LittleEndian('xfrm_selector.ifindex');
  const user = reader.u32LittleEndian('xfrm_selector.user');
  const bitsMax = 8 * addressOfFamily(source, family).length;
  requireRange(destinationPrefixLength, bitsMax, reader.offset - 14, 'xfrm_selector.prefixlen_d');
  requireRange(sourcePrefixLength, bitsMax, reader.offset - 13, 'xfrm_selector.prefixlen_s');
  return {
    family,
    source: addressOfFamily(source, family),
    destination: addressOfFamily(destination, family),
    sourcePrefixLength,
    destinationPrefixLength,
    sourcePort,
    sourcePortMask,
    destinationPort,
    destinationPortMask,
    protocol,
    interfaceIndex,
    user,
  };
}

export function writeSelector(writer: Writer, selector: XfrmSelector): void {
  const { family } = selector;
  const bitsMax = 8 * selector.source.length;
  requireRange(selector.destinationPrefixLength, bitsMax, writer.length + 42, 'xfrm_selector.prefixlen_d');
  requireRange(selector.sourcePrefixLength, bitsMax, writer.length + 43, 'xfrm_selector.prefixlen_s');
  writeAddress(writer, selector.destination, family, 'xfrm_selector.daddr');
  writeAddress(writer, selector.source, family, 'xfrm_selector.saddr');
  writer
    .u16(selector.destinationPort, 'xfrm_selector.dport')
    .u16(selector.destinationPortMask, 'xfrm_selector.dport_mask')
    .u16(selector.sourcePort, 'xfrm_selector.sport')
    .u16(selector.sourcePortMask, 'xfrm_selector.sport_mask');
  writeFamily(writer, family, 'xfrm_selector.family');
  writer
    .u8(selector.destinationPrefixLength, 'xfrm_selector.prefixlen_d')
    .u8(selector.sourcePrefixLength, 'xfrm_selector.prefixlen_s')
    .u8(selector.protocol, 'xfrm_selector.proto')
    .zeros(3)
    .u32LittleEndian(selector.interfaceIndex, 'xfrm_selector.ifindex')
    .u32LittleEndian(selector.user, 'xfrm_selector.user');
}
