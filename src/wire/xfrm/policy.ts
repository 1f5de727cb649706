// struct xfrm_userpolicy_info, xfrm_userpolicy_id and xfrm_user_tmpl: what happens to packets, and by which SAs.
import type { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
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

export interface XfrmPolicy {
  readonly selector: XfrmSelector;
  readonly limits: XfrmLifetimeLimits;
  readonly used: XfrmLifetimeUsed;
  /** The lowest wins. */
  readonly priority: number;
  /** The kernel's number; 0 lets it choose. */
  readonly index: number;
  /** `XfrmDirection`. */
  readonly direction: number;
  /** `XfrmAction`. */
  readonly action: number;
  /** Bits of `XfrmPolicyFlag`. */
  readonly flags: number;
  readonly share: number;
}

/** Selector and direction name a policy (and its mark and if_id, which are attributes), or its index does. */
export interface XfrmPolicyId {
  readonly selector: XfrmSelector;
  readonly index: number;
  readonly direction: number;
}

/** Which SAs carry the packets of a policy. */
export interface XfrmTemplate {
  /** Of the outer addresses. */
  readonly family: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** 0 for any. */
  readonly spi: number;
  readonly protocol: number;
  readonly requestId: number;
  readonly mode: number;
  readonly share: number;
  /** Packets that no such SA protected are let in as well. */
  readonly optional: boolean;
  /** Bits of allowed algorithms, all of them as a rule. */
  readonly authenticationAlgorithms: number;
  readonly encryptionAlgorithms: number;
  readonly compressionAlgorithms: number;
}

export function readPolicy(reader: Reader): XfrmPolicy {
  const policy = {
    selector: readSelector(reader),
    limits: readLimits(reader),
    used: readUsed(reader),
    priority: reader.u32LittleEndian('xfrm_userpolicy_info.priority'),
    index: reader.u32LittleEndian('xfrm_userpolicy_info.index'),
    direction: reader.u8('xfrm_userpolicy_info.dir'),
    action: reader.u8('xfrm_userpolicy_info.action'),
    flags: reader.u8('xfrm_userpolicy_info.flags'),
    share: reader.u8('xfrm_userpolicy_info.share'),
  };
  reader.skip(4, 'xfrm_userpolicy_info.padding');
  return policy;
}

export function writePolicy(writer: Writer, policy: XfrmPolicy): void {
  writeSelector(writer, policy.selector);
  writeLimits(writer, policy.limits);
  writeUsed(writer, policy.used);
  writer
    .u32LittleEndian(policy.priority, 'xfrm_userpolicy_info.priority')
    .u32LittleEndian(policy.index, 'xfrm_userpolicy_info.index')
    .u8(policy.direction, 'xfrm_userpolicy_info.dir')
    .u8(policy.action, 'xfrm_userpolicy_info.action')
    .u8(policy.flags, 'xfrm_userpolicy_info.flags')
    .u8(policy.share, 'xfrm_userpolicy_info.share')
    .zeros(4);
}

/** The structure by itself, as sockets take it (IP_XFRM_POLICY). Throws `WireError`. */
export function encodeXfrmPolicy(policy: XfrmPolicy): Uint8Array {
  const writer = new Writer(168);
  writePolicy(writer, policy);
  return writer.finish();
}

export function readPolicyId(reader: Reader): XfrmPolicyId {
  const id = {
    selector: readSelector(reader),
    index: reader.u32LittleEndian('xfrm_userpolicy_id.index'),
    direction: reader.u8('xfrm_userpolicy_id.dir'),
  };
  reader.skip(3, 'xfrm_userpolicy_id.padding');
  return id;
}

export function writePolicyId(writer: Writer, id: XfrmPolicyId): void {
  writeSelector(writer, id.selector);
  writer
    .u32LittleEndian(id.index, 'xfrm_userpolicy_id.index')
    .u8(id.direction, 'xfrm_userpolicy_id.dir')
    .zeros(3);
}

export function readTemplate(reader: Reader): XfrmTemplate {
  const destination = readRawAddress(reader, 'xfrm_id.daddr');
  const spi = reader.u32('xfrm_id.spi');
  const protocol = reader.u8('xfrm_id.proto');
  reader.skip(3, 'xfrm_id.padding');
  const family = readFamily(reader, 'xfrm_user_tmpl.family');
  reader.skip(2, 'xfrm_user_tmpl.padding');
  const source = readRawAddress(reader, 'xfrm_user_tmpl.saddr');
  const requestId = reader.u32LittleEndian('xfrm_user_tmpl.reqid');
  const mode = reader.u8('xfrm_user_tmpl.mode');
  const share = reader.u8('xfrm_user_tmpl.share');
  const optional = reader.u8('xfrm_user_tmpl.optional') !== 0;
  reader.skip(1, 'xfrm_user_tmpl.padding');
  return {
    family,
    source: addressOfFamily(source, family),
    destination: addressOfFamily(destination, family),
    spi,
    protocol,
    requestId,
    mode,
    share,
    optional,
    authenticationAlgorithms: reader.u32LittleEndian('xfrm_user_tmpl.aalgos'),
    encryptionAlgorithms: reader.u32LittleEndian('xfrm_user_tmpl.ealgos'),
    compressionAlgorithms: reader.u32LittleEndian('xfrm_user_tmpl.calgos'),
  };
}

export function writeTemplate(writer: Writer, template: XfrmTemplate): void {
  const { family } = template;
  writeAddress(writer, template.destination, family, 'xfrm_id.daddr');
  writer.u32(template.spi, 'xfrm_id.spi').u8(template.protocol, 'xfrm_id.proto').zeros(3);
  writeFamily(writer, family, 'xfrm_user_tmpl.family');
  writer.zeros(2);
  writeAddress(writer, template.source, family, 'xfrm_user_tmpl.saddr');
  writer
    .u32LittleEndian(template.requestId, 'xfrm_user_tmpl.reqid')
    .u8(template.mode, 'xfrm_user_tmpl.mode')
    .u8(template.share, 'xfrm_user_tmpl.share')
    .u8(template.optional ? 1 : 0, 'xfrm_user_tmpl.optional')
    .zeros(1)
    .u32LittleEndian(template.authenticationAlgorithms, 'xfrm_user_tmpl.aalgos')
    .u32LittleEndian(template.encryptionAlgorithms, 'xfrm_user_tmpl.ealgos')
    .u32LittleEndian(template.compressionAlgorithms, 'xfrm_user_tmpl.calgos');
}
