// struct xfrm_usersa_info and xfrm_usersa_id: an SA, which the kernel calls a state, and what names one.
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { addressOfFamily, readFamily, readRawAddress, writeAddress, writeFamily } from './address.ts';
import {
  readLimits,
  readUsed,
  writeLimits,
  writeUsed,
  type XfrmLifetimeLimits,
  type XfrmLifetimeUsed,
} from './lifetime.ts';
import { readSelector, writeSelector, type XfrmSelector } from './selector.ts';

export interface XfrmState {
  readonly selector: XfrmSelector;
  /** `XfrmFamily` of the outer addresses. */
  readonly family: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** 0 while a key manager is looked for. */
  readonly spi: number;
  /** 50 for ESP, 51 for AH. */
  readonly protocol: number;
  readonly limits: XfrmLifetimeLimits;
  readonly used: XfrmLifetimeUsed;
  readonly replayWindowFailures: number;
  readonly replays: number;
  readonly integrityFailures: number;
  /** Of the acquire that it answers. */
  readonly sequence: number;
  /** The number that ties SAs to the templates of policies. */
  readonly requestId: number;
  /** `XfrmMode`. */
  readonly mode: number;
  /** Packets, up to 32; larger windows are told in `replayEsn`. */
  readonly replayWindow: number;
  /** Bits of `XfrmStateFlag`. */
  readonly flags: number;
}

/** Protocol, SPI and destination name an SA (and its mark, which is an attribute). */
export interface XfrmStateId {
  readonly family: number;
  readonly destination: Uint8Array;
  readonly spi: number;
  readonly protocol: number;
}

export function readState(reader: Reader): XfrmState {
  const selector = readSelector(reader);
  const destination = readRawAddress(reader, 'xfrm_id.daddr');
  const spi = reader.u32('xfrm_id.spi');
  const protocol = reader.u8('xfrm_id.proto');
  reader.skip(3, 'xfrm_id.padding');
  const source = readRawAddress(reader, 'xfrm_usersa_info.saddr');
  const limits = readLimits(reader);
  const used = readUsed(reader);
  const replayWindowFailures = reader.u32LittleEndian('xfrm_stats.replay_window');
  const replays = reader.u32LittleEndian('xfrm_stats.replay');
  const integrityFailures = reader.u32LittleEndian('xfrm_stats.integrity_failed');
  const sequence = reader.u32LittleEndian('xfrm_usersa_info.seq');
  const requestId = reader.u32LittleEndian('xfrm_usersa_info.reqid');
  const family = readFamily(reader, 'xfrm_usersa_info.family');
  const mode = reader.u8('xfrm_usersa_info.mode');
  const replayWindow = reader.u8('xfrm_usersa_info.replay_window');
  const flags = reader.u8('xfrm_usersa_info.flags');
  reader.skip(7, 'xfrm_usersa_info.padding');
  return {
    selector,
    family,
    source: addressOfFamily(source, family),
    destination: addressOfFamily(destination, family),
    spi,
    protocol,
    limits,
    used,
    replayWindowFailures,
    replays,
    integrityFailures,
    sequence,
    requestId,
    mode,
    replayWindow,
    flags,
  };
}

export function writeState(writer: Writer, state: XfrmState): void {
  writeSelector(writer, state.selector);
  writeAddress(writer, state.destination, state.family, 'xfrm_id.daddr');
  writer.u32(state.spi, 'xfrm_id.spi').u8(state.protocol, 'xfrm_id.proto').zeros(3);
  writeAddress(writer, state.source, state.family, 'xfrm_usersa_info.saddr');
  writeLimits(writer, state.limits);
  writeUsed(writer, state.used);
  writer
    .u32LittleEndian(state.replayWindowFailures, 'xfrm_stats.replay_window')
    .u32LittleEndian(state.replays, 'xfrm_stats.replay')
    .u32LittleEndian(state.integrityFailures, 'xfrm_stats.integrity_failed')
    .u32LittleEndian(state.sequence, 'xfrm_usersa_info.seq')
    .u32LittleEndian(state.requestId, 'xfrm_usersa_info.reqid');
  writeFamily(writer, state.family, 'xfrm_usersa_info.family');
  writer
    .u8(state.mode, 'xfrm_usersa_info.mode')
    .u8(state.replayWindow, 'xfrm_usersa_info.replay_window')
    .u8(state.flags, 'xfrm_usersa_info.flags')
    .zeros(7);
}

export function readStateId(reader: Reader): XfrmStateId {
  const destination = readRawAddress(reader, 'xfrm_usersa_id.daddr');
  const spi = reader.u32('xfrm_usersa_id.spi');
  const family = readFamily(reader, 'xfrm_usersa_id.family');
  const protocol = reader.u8('xfrm_usersa_id.proto');
  reader.skip(1, 'xfrm_usersa_id.padding');
  return { family, destination: addressOfFamily(destination, family), spi, protocol };
}

export function writeStateId(writer: Writer, id: XfrmStateId): void {
  writeAddress(writer, id.destination, id.family, 'xfrm_usersa_id.daddr');
  writer.u32(id.spi, 'xfrm_usersa_id.spi');
  writeFamily(writer, id.family, 'xfrm_usersa_id.family');
  writer.u8(id.protocol, 'xfrm_usersa_id.proto').zeros(1);
}
