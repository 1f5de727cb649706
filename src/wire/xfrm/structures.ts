// The small structures that attributes hold: encapsulation, marks, offloading, the addresses of a migration.
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { addressOfFamily, readFamily, readRawAddress, writeAddress, writeFamily } from './address.ts';

/** UDP around ESP; ports as on the wire, seen from the sender of the SA's packets. */
export interface XfrmEncapsulation {
  /** `xfrmEncapsulationUdp`. */
  readonly type: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** RFC 3947: the original address, for checksums in transport mode. Sixteen octets. */
  readonly originalAddress: Uint8Array;
}

/** A packet fits if its mark and `value` have the same bits under `mask`. */
export interface XfrmMark {
  readonly value: number;
  readonly mask: number;
}

export interface XfrmOffload {
  readonly interfaceIndex: number;
  /** Bits of `XfrmOffloadFlag`. */
  readonly flags: number;
}

/** What of the SAs of a policy moves, and where to. */
export interface XfrmMigration {
  readonly oldFamily: number;
  readonly oldDestination: Uint8Array;
  readonly oldSource: Uint8Array;
  readonly newFamily: number;
  readonly newDestination: Uint8Array;
  readonly newSource: Uint8Array;
  readonly protocol: number;
  readonly mode: number;
  readonly requestId: number;
}

/** Which SAs a dump tells of: both prefixes must fit. */
export interface XfrmAddressFilter {
  readonly family: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePrefixLength: number;
  readonly destinationPrefixLength: number;
}

export function encodeEncapsulation(encapsulation: XfrmEncapsulation): Uint8Array {
  const writer = new Writer(24)
    .u16LittleEndian(encapsulation.type, 'xfrm_encap_tmpl.encap_type')
    .u16(encapsulation.sourcePort, 'xfrm_encap_tmpl.encap_sport')
    .u16(encapsulation.destinationPort, 'xfrm_encap_tmpl.encap_dport')
    .zeros(2);
  writeAddress(writer, encapsulation.originalAddress, 0, 'xfrm_encap_tmpl.encap_oa');
  return writer.finish();
}

export function decodeEncapsulation(octets: Uint8Array): XfrmEncapsulation {
  const reader = new Reader(octets);
  const type = reader.u16LittleEndian('xfrm_encap_tmpl.encap_type');
  const sourcePort = reader.u16('xfrm_encap_tmpl.encap_sport');
  const destinationPort = reader.u16('xfrm_encap_tmpl.encap_dport');
  reader.skip(2, 'xfrm_encap_tmpl.padding');
  const originalAddress = readRawAddress(reader, 'xfrm_encap_tmpl.encap_oa');
  reader.end('xfrm_encap_tmpl');
  return { type, sourcePort, destinationPort, originalAddress };
}

export function encodeMark({ value, mask }: XfrmMark): Uint8Array {
  return new Writer(8).u32LittleEndian(value, 'xfrm_mark.v').u32LittleEndian(mask, 'xfrm_mark.m').finish();
}

export function decodeMark(octets: Uint8Array): XfrmMark {
  const reader = new Reader(octets);
  const mark = {
    value: reader.u32LittleEndian('xfrm_mark.v'),
    mask: reader.u32LittleEndian('xfrm_mark.m'),
  };
  reader.end('xfrm_mark');
  return mark;
}

export function encodeOffload({ interfaceIndex, flags }: XfrmOffload): Uint8Array {
  return new Writer(8)
    .u32LittleEndian(interfaceIndex, 'xfrm_user_offload.ifindex')
    .u8(flags, 'xfrm_user_offload.flags')
    .zeros(3)
    .finish();
}

export function decodeOffload(octets: Uint8Array): XfrmOffload {
  const reader = new Reader(octets);
  const interfaceIndex = reader.u32LittleEndian('xfrm_user_offload.ifindex');
  const flags = reader.u8('xfrm_user_offload.flags');
  reader.skip(3, 'xfrm_user_offload.padding');
  reader.end('xfrm_user_offload');
  return { interfaceIndex, flags };
}

/** XFRMA_MIGRATE holds one or more. */
export function encodeMigrations(migrations: readonly XfrmMigration[]): Uint8Array {
  const writer = new Writer(76 * migrations.length);
  for (const one of migrations) {
    writeAddress(writer, one.oldDestination, one.oldFamily, 'xfrm_user_migrate.old_daddr');
    writeAddress(writer, one.oldSource, one.oldFamily, 'xfrm_user_migrate.old_saddr');
    writeAddress(writer, one.newDestination, one.newFamily, 'xfrm_user_migrate.new_daddr');
    writeAddress(writer, one.newSource, one.newFamily, 'xfrm_user_migrate.new_saddr');
    writer
      .u8(one.protocol, 'xfrm_user_migrate.proto')
      .u8(one.mode, 'xfrm_user_migrate.mode')
      .zeros(2)
      .u32LittleEndian(one.requestId, 'xfrm_user_migrate.reqid');
    writeFamily(writer, one.oldFamily, 'xfrm_user_migrate.old_family');
    writeFamily(writer, one.newFamily, 'xfrm_user_migrate.new_family');
  }
  return writer.finish();
}

export function decodeMigrations(octets: Uint8Array): XfrmMigration[] {
  const reader = new Reader(octets);
  const migrations: XfrmMigration[] = [];
  do {
    const oldDestination = readRawAddress(reader, 'xfrm_user_migrate.old_daddr');
    const oldSource = readRawAddress(reader, 'xfrm_user_migrate.old_saddr');
    const newDestination = readRawAddress(reader, 'xfrm_user_migrate.new_daddr');
    const newSource = readRawAddress(reader, 'xfrm_user_migrate.new_saddr');
    const protocol = reader.u8('xfrm_user_migrate.proto');
    const mode = reader.u8('xfrm_user_migrate.mode');
    reader.skip(2, 'xfrm_user_migrate.reserved');
    const requestId = reader.u32LittleEndian('xfrm_user_migrate.reqid');
    const oldFamily = readFamily(reader, 'xfrm_user_migrate.old_family');
    const newFamily = readFamily(reader, 'xfrm_user_migrate.new_family');
    migrations.push({
      oldFamily,
      oldDestination: addressOfFamily(oldDestination, oldFamily),
      oldSource: addressOfFamily(oldSource, oldFamily),
      newFamily,
      newDestination: addressOfFamily(newDestination, newFamily),
      newSource: addressOfFamily(newSource, newFamily),
      protocol,
      mode,
      requestId,
    });
  } while (reader.remaining > 0);
  return migrations;
}

export function encodeAddressFilter(filter: XfrmAddressFilter): Uint8Array {
  const writer = new Writer(36);
  writeAddress(writer, filter.source, filter.family, 'xfrm_address_filter.saddr');
  writeAddress(writer, filter.destination, filter.family, 'xfrm_address_filter.daddr');
  writeFamily(writer, filter.family, 'xfrm_address_filter.family');
  return writer
    .u8(filter.sourcePrefixLength, 'xfrm_address_filter.splen')
    .u8(filter.destinationPrefixLength, 'xfrm_address_filter.dplen')
    .finish();
}

export function decodeAddressFilter(octets: Uint8Array): XfrmAddressFilter {
  const reader = new Reader(octets);
  const source = readRawAddress(reader, 'xfrm_address_filter.saddr');
  const destination = readRawAddress(reader, 'xfrm_address_filter.daddr');
  const family = readFamily(reader, 'xfrm_address_filter.family');
  const sourcePrefixLength = reader.u8('xfrm_address_filter.splen');
  const destinationPrefixLength = reader.u8('xfrm_address_filter.dplen');
  reader.end('xfrm_address_filter');
  return {
    family,
    source: addressOfFamily(source, family),
    destination: addressOfFamily(destination, family),
    sourcePrefixLength,
    destinationPrefixLength,
  };
}
