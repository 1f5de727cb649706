// struct xfrm_lifetime_cfg and xfrm_lifetime_cur: when an SA or a policy ends, and how far it is.
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

/** `xfrmUnlimited` is no limit, and of the four in seconds 0 is none either. */
export interface XfrmLifetimeLimits {
  readonly softBytes: bigint;
  readonly hardBytes: bigint;
  readonly softPackets: bigint;
  readonly hardPackets: bigint;
  /** From its making. */
  readonly softAddSeconds: bigint;
  readonly hardAddSeconds: bigint;
  /** From its first use. */
  readonly softUseSeconds: bigint;
  readonly hardUseSeconds: bigint;
}

export interface XfrmLifetimeUsed {
  readonly bytes: bigint;
  readonly packets: bigint;
  /** Seconds of the wall clock; 0 for never. */
  readonly addedAtSeconds: bigint;
  readonly usedAtSeconds: bigint;
}

export function readLimits(reader: Reader): XfrmLifetimeLimits {
  const u64 = (field: string): bigint => reader.u64LittleEndian(`xfrm_lifetime_cfg.${field}`);
  return {
    softBytes: u64('soft_byte_limit'),
    hardBytes: u64('hard_byte_limit'),
    softPackets: u64('soft_packet_limit'),
    hardPackets: u64('hard_packet_limit'),
    softAddSeconds: u64('soft_add_expires_seconds'),
    hardAddSeconds: u64('hard_add_expires_seconds'),
    softUseSeconds: u64('soft_use_expires_seconds'),
    hardUseSeconds: u64('hard_use_expires_seconds'),
  };
}

export function writeLimits(writer: Writer, limits: XfrmLifetimeLimits): void {
  writer
    .u64LittleEndian(limits.softBytes, 'xfrm_lifetime_cfg.soft_byte_limit')
    .u64LittleEndian(limits.hardBytes, 'xfrm_lifetime_cfg.hard_byte_limit')
    .u64LittleEndian(limits.softPackets, 'xfrm_lifetime_cfg.soft_packet_limit')
    .u64LittleEndian(limits.hardPackets, 'xfrm_lifetime_cfg.hard_packet_limit')
    .u64LittleEndian(limits.softAddSeconds, 'xfrm_lifetime_cfg.soft_add_expires_seconds')
    .u64LittleEndian(limits.hardAddSeconds, 'xfrm_lifetime_cfg.hard_add_expires_seconds')
    .u64LittleEndian(limits.softUseSeconds, 'xfrm_lifetime_cfg.soft_use_expires_seconds')
    .u64LittleEndian(limits.hardUseSeconds, 'xfrm_lifetime_cfg.hard_use_expires_seconds');
}

export function readUsed(reader: Reader): XfrmLifetimeUsed {
  return {
    bytes: reader.u64LittleEndian('xfrm_lifetime_cur.bytes'),
    packets: reader.u64LittleEndian('xfrm_lifetime_cur.packets'),
    addedAtSeconds: reader.u64LittleEndian('xfrm_lifetime_cur.add_time'),
    usedAtSeconds: reader.u64LittleEndian('xfrm_lifetime_cur.use_time'),
  };
}

export function writeUsed(writer: Writer, used: XfrmLifetimeUsed): void {
  writer
    .u64LittleEndian(used.bytes, 'xfrm_lifetime_cur.bytes')
    .u64LittleEndian(used.packets, 'xfrm_lifetime_cur.packets')
    .u64LittleEndian(used.addedAtSeconds, 'xfrm_lifetime_cur.add_time')
    .u64LittleEndian(used.usedAtSeconds, 'xfrm_lifetime_cur.use_time');
}
