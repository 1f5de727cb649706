// XFRM's messages (xfrm_user): what a key manager asks of the kernel's IPsec, and what that tells of its own accord.
import { NetlinkFlag, type NetlinkMessage } from '../netlink/index.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { addressOfFamily, readRawAddress, writeAddress } from './address.ts';
import { readXfrmAttributes, writeXfrmAttributes, type XfrmAttributes } from './attributes.ts';
import { XfrmFamily, XfrmMessageType } from './numbers.ts';
import {
  readPolicy,
  readPolicyId,
  writePolicy,
  writePolicyId,
  type XfrmPolicy,
  type XfrmPolicyId,
} from './policy.ts';
import { readSelector, writeSelector, type XfrmSelector } from './selector.ts';
import {
  readState,
  readStateId,
  writeState,
  writeStateId,
  type XfrmState,
  type XfrmStateId,
} from './state.ts';

/** Enough for an SA with everything: where it grows, a writer leaves what it had, perhaps keys, to the garbage. */
const messageBytes = 2_048;

interface WithAttributes {
  readonly attributes: XfrmAttributes;
}

export type XfrmMessage =
  /** To the kernel: add, or replace what is there. From the kernel: an SA that was made, changed, asked for or dumped. */
  | ({ readonly kind: 'new-sa' | 'update-sa'; readonly state: XfrmState } & WithAttributes)
  | ({ readonly kind: 'delete-sa' | 'get-sa'; readonly id: XfrmStateId } & WithAttributes)
  | ({ readonly kind: 'dump-sas' } & WithAttributes)
  /** An SPI between `min` and `max` for an SA to come; answered by a `new-sa`. */
  | ({
      readonly kind: 'allocate-spi';
      readonly state: XfrmState;
      readonly min: number;
      readonly max: number;
    } & WithAttributes)
  | ({ readonly kind: 'new-policy' | 'update-policy'; readonly policy: XfrmPolicy } & WithAttributes)
  | ({ readonly kind: 'delete-policy' | 'get-policy'; readonly id: XfrmPolicyId } & WithAttributes)
  | ({ readonly kind: 'dump-policies' } & WithAttributes)
  /** Traffic wants an SA that is not there. */
  | ({ readonly kind: 'acquire'; readonly acquire: XfrmAcquire } & WithAttributes)
  | ({ readonly kind: 'expire'; readonly state: XfrmState; readonly hard: boolean } & WithAttributes)
  | ({ readonly kind: 'policy-expire'; readonly policy: XfrmPolicy; readonly hard: boolean } & WithAttributes)
  /** All SAs of a protocol; 0 for all there are, whoever made them. */
  | ({ readonly kind: 'flush-sas'; readonly protocol: number } & WithAttributes)
  | ({ readonly kind: 'flush-policies' } & WithAttributes)
  /** How far an SA's sequence numbers and lifetimes are; asked for, set or told. */
  | ({ readonly kind: 'new-event' | 'get-event'; readonly event: XfrmEvent } & WithAttributes)
  /** Moves the SAs of a policy to other addresses. */
  | ({ readonly kind: 'migrate'; readonly id: XfrmPolicyId } & WithAttributes)
  /** The peer's address or port in UDP encapsulation has changed. */
  | ({ readonly kind: 'mapping'; readonly mapping: XfrmMapping } & WithAttributes);

export interface XfrmAcquire {
  /** Of the template, whose family only `templates` tells: sixteen octets, as is `source`. */
  readonly destination: Uint8Array;
  readonly spi: number;
  readonly protocol: number;
  readonly source: Uint8Array;
  /** The packet. Its family is not that of the addresses if the tunnel is of another one. */
  readonly selector: XfrmSelector;
  readonly policy: XfrmPolicy;
  readonly authenticationAlgorithms: number;
  readonly encryptionAlgorithms: number;
  readonly compressionAlgorithms: number;
  readonly sequence: number;
}

export interface XfrmEvent {
  readonly id: XfrmStateId;
  readonly source: Uint8Array;
  /** Bits of `XfrmEventFlag`. */
  readonly flags: number;
  readonly requestId: number;
}

export interface XfrmMapping {
  readonly id: XfrmStateId;
  readonly requestId: number;
  readonly oldSource: Uint8Array;
  readonly newSource: Uint8Array;
  readonly oldSourcePort: number;
  readonly newSourcePort: number;
}

type Kind = XfrmMessage['kind'];

const types: Readonly<Record<Kind, number>> = {
  'new-sa': XfrmMessageType.NEWSA,
  'update-sa': XfrmMessageType.UPDSA,
  'delete-sa': XfrmMessageType.DELSA,
  'get-sa': XfrmMessageType.GETSA,
  'dump-sas': XfrmMessageType.GETSA,
  'allocate-spi': XfrmMessageType.ALLOCSPI,
  'new-policy': XfrmMessageType.NEWPOLICY,
  'update-policy': XfrmMessageType.UPDPOLICY,
  'delete-policy': XfrmMessageType.DELPOLICY,
  'get-policy': XfrmMessageType.GETPOLICY,
  'dump-policies': XfrmMessageType.GETPOLICY,
  acquire: XfrmMessageType.ACQUIRE,
  expire: XfrmMessageType.EXPIRE,
  'policy-expire': XfrmMessageType.POLEXPIRE,
  'flush-sas': XfrmMessageType.FLUSHSA,
  'flush-policies': XfrmMessageType.FLUSHPOLICY,
  'new-event': XfrmMessageType.NEWAE,
  'get-event': XfrmMessageType.GETAE,
  migrate: XfrmMessageType.MIGRATE,
  mapping: XfrmMessageType.MAPPING,
};

/** Type, flags and payload of a netlink message; flags are those that belong to the kind. Throws `WireError`. */
export function encodeXfrmMessage(message: XfrmMessage): Pick<NetlinkMessage, 'type' | 'flags' | 'payload'> {
  const writer = new Writer(messageBytes);
  writeBody(writer, message);
  writeXfrmAttributes(writer, message.attributes);
  const dump = message.kind === 'dump-sas' || message.kind === 'dump-policies';
  return { type: types[message.kind], flags: dump ? NetlinkFlag.DUMP : 0, payload: writer.finishAndWipe() };
}

function writeBody(writer: Writer, message: XfrmMessage): void {
  switch (message.kind) {
    case 'new-sa':
    case 'update-sa':
      writeState(writer, message.state);
      return;
    case 'delete-sa':
    case 'get-sa':
      writeStateId(writer, message.id);
      return;
    case 'allocate-spi':
      writeState(writer, message.state);
      writer
        .u32LittleEndian(message.min, 'xfrm_userspi_info.min')
        .u32LittleEndian(message.max, 'xfrm_userspi_info.max');
      return;
    case 'new-policy':
    case 'update-policy':
      writePolicy(writer, message.policy);
      return;
    case 'delete-policy':
    case 'get-policy':
    case 'migrate':
      writePolicyId(writer, message.id);
      return;
    case 'dump-sas':
    case 'dump-policies':
    case 'flush-policies':
      return;
    case 'acquire':
      writeAcquire(writer, message.acquire);
      return;
    case 'expire':
      writeState(writer, message.state);
      writer.u8(message.hard ? 1 : 0, 'xfrm_user_expire.hard').zeros(7);
      return;
    case 'policy-expire':
      writePolicy(writer, message.policy);
      writer.u8(message.hard ? 1 : 0, 'xfrm_user_polexpire.hard').zeros(7);
      return;
    case 'flush-sas':
      // The only structure that netlink must align.
      writer.u8(message.protocol, 'xfrm_usersa_flush.proto').zeros(3);
      return;
    case 'new-event':
    case 'get-event':
      writeEvent(writer, message.event);
      return;
    case 'mapping':
      writeMapping(writer, message.mapping);
      return;
  }
}

/** A message of the kernel's or one to it. Throws `WireError`, also for types that this codec does not know. */
export function decodeXfrmMessage({
  type,
  flags,
  payload,
}: Pick<NetlinkMessage, 'type' | 'flags' | 'payload'>): XfrmMessage {
  const reader = new Reader(payload);
  const dump = (flags & NetlinkFlag.DUMP) === NetlinkFlag.DUMP;
  const body = readBody(reader, type, dump);
  return { ...body, attributes: readXfrmAttributes(reader) } as XfrmMessage;
}

type Body<Message> = Message extends XfrmMessage ? Omit<Message, 'attributes'> : never;

function readBody(reader: Reader, type: number, dump: boolean): Body<XfrmMessage> {
  switch (type) {
    case XfrmMessageType.NEWSA:
      return { kind: 'new-sa', state: readState(reader) };
    case XfrmMessageType.UPDSA:
      return { kind: 'update-sa', state: readState(reader) };
    case XfrmMessageType.DELSA:
      return { kind: 'delete-sa', id: readStateId(reader) };
    case XfrmMessageType.GETSA:
      return dump ? { kind: 'dump-sas' } : { kind: 'get-sa', id: readStateId(reader) };
    case XfrmMessageType.ALLOCSPI:
      return {
        kind: 'allocate-spi',
        state: readState(reader),
        min: reader.u32LittleEndian('xfrm_userspi_info.min'),
        max: reader.u32LittleEndian('xfrm_userspi_info.max'),
      };
    case XfrmMessageType.NEWPOLICY:
      return { kind: 'new-policy', policy: readPolicy(reader) };
    case XfrmMessageType.UPDPOLICY:
      return { kind: 'update-policy', policy: readPolicy(reader) };
    case XfrmMessageType.DELPOLICY:
      return { kind: 'delete-policy', id: readPolicyId(reader) };
    case XfrmMessageType.GETPOLICY:
      return dump ? { kind: 'dump-policies' } : { kind: 'get-policy', id: readPolicyId(reader) };
    case XfrmMessageType.ACQUIRE:
      return { kind: 'acquire', acquire: readAcquire(reader) };
    case XfrmMessageType.EXPIRE:
      return { kind: 'expire', state: readState(reader), hard: readHard(reader, 'xfrm_user_expire') };
    case XfrmMessageType.POLEXPIRE:
      return {
        kind: 'policy-expire',
        policy: readPolicy(reader),
        hard: readHard(reader, 'xfrm_user_polexpire'),
      };
    case XfrmMessageType.FLUSHSA: {
      const protocol = reader.u8('xfrm_usersa_flush.proto');
      // What the kernel or a program left out of the alignment is not there.
      reader.skip(Math.min(3, reader.remaining), 'padding');
      return { kind: 'flush-sas', protocol };
    }
    case XfrmMessageType.FLUSHPOLICY:
      return { kind: 'flush-policies' };
    case XfrmMessageType.NEWAE:
      return { kind: 'new-event', event: readEvent(reader) };
    case XfrmMessageType.GETAE:
      return { kind: 'get-event', event: readEvent(reader) };
    case XfrmMessageType.MIGRATE:
      return { kind: 'migrate', id: readPolicyId(reader) };
    case XfrmMessageType.MAPPING:
      return { kind: 'mapping', mapping: readMapping(reader) };
    default:
      throw reader.fail('value', 'nlmsghdr.type', `no XFRM message ${type}`);
  }
}

function readHard(reader: Reader, structure: string): boolean {
  const hard = reader.u8(`${structure}.hard`) !== 0;
  reader.skip(7, `${structure}.padding`);
  return hard;
}

/** Only templates tell the family of the outer addresses: they stay as they are, sixteen octets. */
function writeAcquire(writer: Writer, acquire: XfrmAcquire): void {
  writeAddress(writer, acquire.destination, XfrmFamily.UNSPECIFIED, 'xfrm_id.daddr');
  writer.u32(acquire.spi, 'xfrm_id.spi').u8(acquire.protocol, 'xfrm_id.proto').zeros(3);
  writeAddress(writer, acquire.source, XfrmFamily.UNSPECIFIED, 'xfrm_user_acquire.saddr');
  writeSelector(writer, acquire.selector);
  writePolicy(writer, acquire.policy);
  writer
    .u32LittleEndian(acquire.authenticationAlgorithms, 'xfrm_user_acquire.aalgos')
    .u32LittleEndian(acquire.encryptionAlgorithms, 'xfrm_user_acquire.ealgos')
    .u32LittleEndian(acquire.compressionAlgorithms, 'xfrm_user_acquire.calgos')
    .u32LittleEndian(acquire.sequence, 'xfrm_user_acquire.seq');
}

function readAcquire(reader: Reader): XfrmAcquire {
  const destination = readRawAddress(reader, 'xfrm_id.daddr');
  const spi = reader.u32('xfrm_id.spi');
  const protocol = reader.u8('xfrm_id.proto');
  reader.skip(3, 'xfrm_id.padding');
  return {
    destination,
    spi,
    protocol,
    source: readRawAddress(reader, 'xfrm_user_acquire.saddr'),
    selector: readSelector(reader),
    policy: readPolicy(reader),
    authenticationAlgorithms: reader.u32LittleEndian('xfrm_user_acquire.aalgos'),
    encryptionAlgorithms: reader.u32LittleEndian('xfrm_user_acquire.ealgos'),
    compressionAlgorithms: reader.u32LittleEndian('xfrm_user_acquire.calgos'),
    sequence: reader.u32LittleEndian('xfrm_user_acquire.seq'),
  };
}

function writeEvent(writer: Writer, event: XfrmEvent): void {
  writeStateId(writer, event.id);
  writeAddress(writer, event.source, event.id.family, 'xfrm_aevent_id.saddr');
  writer
    .u32LittleEndian(event.flags, 'xfrm_aevent_id.flags')
    .u32LittleEndian(event.requestId, 'xfrm_aevent_id.reqid');
}

function readEvent(reader: Reader): XfrmEvent {
  const id = readStateId(reader);
  return {
    id,
    source: addressOfFamily(readRawAddress(reader, 'xfrm_aevent_id.saddr'), id.family),
    flags: reader.u32LittleEndian('xfrm_aevent_id.flags'),
    requestId: reader.u32LittleEndian('xfrm_aevent_id.reqid'),
  };
}

function writeMapping(writer: Writer, mapping: XfrmMapping): void {
  const { family } = mapping.id;
  writeStateId(writer, mapping.id);
  writer.u32LittleEndian(mapping.requestId, 'xfrm_user_mapping.reqid');
  writeAddress(writer, mapping.oldSource, family, 'xfrm_user_mapping.old_saddr');
  writeAddress(writer, mapping.newSource, family, 'xfrm_user_mapping.new_saddr');
  writer
    .u16(mapping.oldSourcePort, 'xfrm_user_mapping.old_sport')
    .u16(mapping.newSourcePort, 'xfrm_user_mapping.new_sport');
}

function readMapping(reader: Reader): XfrmMapping {
  const id = readStateId(reader);
  const requestId = reader.u32LittleEndian('xfrm_user_mapping.reqid');
  const oldSource = addressOfFamily(readRawAddress(reader, 'xfrm_user_mapping.old_saddr'), id.family);
  const newSource = addressOfFamily(readRawAddress(reader, 'xfrm_user_mapping.new_saddr'), id.family);
  return {
    id,
    requestId,
    oldSource,
    newSource,
    oldSourcePort: reader.u16('xfrm_user_mapping.old_sport'),
    newSourcePort: reader.u16('xfrm_user_mapping.new_sport'),
  };
}
