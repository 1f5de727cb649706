// The attributes behind XFRM's structures, each as what it means.
import {
  decodeNetlinkU32,
  type NetlinkAttribute,
  netlinkU32,
  readNetlinkAttributes,
  writeNetlinkAttribute,
} from '../netlink/index.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import {
  decodeAlgorithm,
  decodeAuthentication,
  encodeAlgorithm,
  encodeAuthentication,
  type XfrmAead,
  type XfrmAlgorithm,
  type XfrmAuthentication,
} from './algorithm.ts';
import { readUsed, writeUsed, type XfrmLifetimeUsed } from './lifetime.ts';
import { XfrmAttributeType } from './numbers.ts';
import {
  readPolicy,
  readTemplate,
  writePolicy,
  writeTemplate,
  type XfrmPolicy,
  type XfrmTemplate,
} from './policy.ts';
import {
  decodeReplay,
  decodeReplayEsn,
  encodeReplay,
  encodeReplayEsn,
  type XfrmReplay,
  type XfrmReplayEsn,
} from './replay.ts';
import { readState, writeState, type XfrmState } from './state.ts';
import {
  decodeAddressFilter,
  decodeEncapsulation,
  decodeMark,
  decodeMigrations,
  decodeOffload,
  encodeAddressFilter,
  encodeEncapsulation,
  encodeMark,
  encodeMigrations,
  encodeOffload,
  type XfrmAddressFilter,
  type XfrmEncapsulation,
  type XfrmMark,
  type XfrmMigration,
  type XfrmOffload,
} from './structures.ts';

/** Of attributes that come more than once the last one counts, as in the kernel. */
export interface XfrmAttributes {
  /** The kernel tells the algorithm twice, with this one in the form that knows no ICV length. */
  readonly authentication?: XfrmAlgorithm;
  readonly authenticationTruncated?: XfrmAuthentication;
  readonly encryption?: XfrmAlgorithm;
  readonly compression?: XfrmAlgorithm;
  readonly aead?: XfrmAead;
  readonly encapsulation?: XfrmEncapsulation;
  readonly templates?: readonly XfrmTemplate[];
  /** What a notification is about, where its structure only names it. */
  readonly state?: XfrmState;
  readonly policy?: XfrmPolicy;
  readonly used?: XfrmLifetimeUsed;
  readonly replay?: XfrmReplay;
  readonly replayEsn?: XfrmReplayEsn;
  readonly replayThreshold?: number;
  readonly timerThreshold?: number;
  /** Sixteen octets, whatever the family. */
  readonly sourceAddress?: Uint8Array;
  readonly careOfAddress?: Uint8Array;
  readonly lastUsedSeconds?: bigint;
  /** 0 for the main policies, 1 for sub-policies. */
  readonly policyType?: number;
  readonly migrations?: readonly XfrmMigration[];
  readonly mark?: XfrmMark;
  readonly tfcPadding?: number;
  /** Bits of `XfrmStateExtraFlag`. */
  readonly extraFlags?: number;
  readonly protocol?: number;
  readonly addressFilter?: XfrmAddressFilter;
  readonly offload?: XfrmOffload;
  /** The mark that packets have once the SA is done with them. */
  readonly outputMark?: number;
  readonly outputMarkMask?: number;
  /** The number of an XFRM interface. */
  readonly interfaceId?: number;
  readonly mappingThresholdSeconds?: number;
  /** What this codec knows no meaning of. */
  readonly others?: readonly NetlinkAttribute[];
}

type Known = Exclude<keyof XfrmAttributes, 'others'>;

interface Codec<Value> {
  readonly type: number;
  readonly encode: (value: Value) => Uint8Array;
  readonly decode: (octets: Uint8Array) => Value;
}

type Codecs = { readonly [Name in Known]-?: Codec<NonNullable<XfrmAttributes[Name]>> };

/** Of a structure that is read from and written to the middle of something. */
function structure<Value>(
  type: number,
  write: (writer: Writer, value: Value) => void,
  read: (reader: Reader) => Value,
): Codec<Value> {
  return {
    type,
    encode: (value) => {
      const writer = new Writer();
      write(writer, value);
      return writer.finish();
    },
    decode: (octets) => {
      const reader = new Reader(octets);
      const value = read(reader);
      reader.end('nlattr');
      return value;
    },
  };
}

function u32(type: number): Codec<number> {
  return { type, encode: netlinkU32, decode: decodeNetlinkU32 };
}

function rawAddress(type: number): Codec<Uint8Array> {
  return structure(
    type,
    (writer, address) => {
      if (address.length !== 16) throw writer.fail('length', 'xfrm_address_t');
      writer.bytes(address);
    },
    (reader) => reader.bytes(16, 'xfrm_address_t'),
  );
}

const {
  ALG_AUTH,
  ALG_CRYPT,
  ALG_COMP,
  ENCAP,
  TMPL,
  SA,
  POLICY,
  LTIME_VAL,
  REPLAY_VAL,
  REPLAY_THRESH,
  ETIMER_THRESH,
  SRCADDR,
  COADDR,
  LASTUSED,
  POLICY_TYPE,
  MIGRATE,
  ALG_AEAD,
  ALG_AUTH_TRUNC,
  MARK,
  TFCPAD,
  REPLAY_ESN_VAL,
  SA_EXTRA_FLAGS,
  PROTO,
  ADDRESS_FILTER,
  OFFLOAD_DEV,
  SET_MARK,
  SET_MARK_MASK,
  IF_ID,
  MTIMER_THRESH,
} = XfrmAttributeType;

const codecs: Codecs = {
  authentication: { type: ALG_AUTH, encode: encodeAlgorithm, decode: decodeAlgorithm },
  authenticationTruncated: {
    type: ALG_AUTH_TRUNC,
    encode: encodeAuthentication,
    decode: decodeAuthentication,
  },
  encryption: { type: ALG_CRYPT, encode: encodeAlgorithm, decode: decodeAlgorithm },
  compression: { type: ALG_COMP, encode: encodeAlgorithm, decode: decodeAlgorithm },
  aead: { type: ALG_AEAD, encode: encodeAuthentication, decode: decodeAuthentication },
  encapsulation: { type: ENCAP, encode: encodeEncapsulation, decode: decodeEncapsulation },
  templates: structure<readonly XfrmTemplate[]>(
    TMPL,
    (writer, templates) => {
      for (const template of templates) writeTemplate(writer, template);
    },
    (reader) => {
      const templates: XfrmTemplate[] = [];
      while (reader.remaining > 0) templates.push(readTemplate(reader));
      return templates;
    },
  ),
  state: structure(SA, writeState, readState),
  policy: structure(POLICY, writePolicy, readPolicy),
  used: structure(LTIME_VAL, writeUsed, readUsed),
  replay: { type: REPLAY_VAL, encode: encodeReplay, decode: decodeReplay },
  replayEsn: { type: REPLAY_ESN_VAL, encode: encodeReplayEsn, decode: decodeReplayEsn },
  replayThreshold: u32(REPLAY_THRESH),
  timerThreshold: u32(ETIMER_THRESH),
  sourceAddress: rawAddress(SRCADDR),
  careOfAddress: rawAddress(COADDR),
  lastUsedSeconds: structure(
    LASTUSED,
    (writer, value) => writer.u64LittleEndian(value, 'XFRMA_LASTUSED'),
    (reader) => reader.u64LittleEndian('XFRMA_LASTUSED'),
  ),
  policyType: structure(
    POLICY_TYPE,
    (writer, type) => writer.u8(type, 'xfrm_userpolicy_type.type').zeros(5),
    (reader) => {
      const type = reader.u8('xfrm_userpolicy_type.type');
      reader.skip(5, 'xfrm_userpolicy_type.reserved');
      return type;
    },
  ),
  migrations: { type: MIGRATE, encode: encodeMigrations, decode: decodeMigrations },
  mark: { type: MARK, encode: encodeMark, decode: decodeMark },
  tfcPadding: u32(TFCPAD),
  extraFlags: u32(SA_EXTRA_FLAGS),
  protocol: structure(
    PROTO,
    (writer, value) => writer.u8(value, 'XFRMA_PROTO'),
    (reader) => reader.u8('XFRMA_PROTO'),
  ),
  addressFilter: { type: ADDRESS_FILTER, encode: encodeAddressFilter, decode: decodeAddressFilter },
  offload: { type: OFFLOAD_DEV, encode: encodeOffload, decode: decodeOffload },
  outputMark: u32(SET_MARK),
  outputMarkMask: u32(SET_MARK_MASK),
  interfaceId: u32(IF_ID),
  mappingThresholdSeconds: u32(MTIMER_THRESH),
};

const namesByType = new Map((Object.keys(codecs) as Known[]).map((name) => [codecs[name].type, name]));

export function writeXfrmAttributes(writer: Writer, attributes: XfrmAttributes): void {
  for (const name of Object.keys(codecs) as Known[]) {
    const value = attributes[name];
    if (value === undefined) continue;
    const { type, encode } = codecs[name] as Codec<typeof value>;
    const octets = encode(value);
    writeNetlinkAttribute(writer, type, octets);
    // Perhaps a key, of which one copy is enough.
    octets.fill(0);
  }
  for (const { type, payload } of attributes.others ?? []) writeNetlinkAttribute(writer, type, payload);
}

/** Reads everything that is left. Throws `WireError`. */
export function readXfrmAttributes(reader: Reader): XfrmAttributes {
  const attributes: { [Name in Known]?: NonNullable<XfrmAttributes[Name]> } = {};
  const others: NetlinkAttribute[] = [];
  for (const attribute of readNetlinkAttributes(reader)) {
    const name = namesByType.get(attribute.type);
    if (name === undefined) others.push(attribute);
    else assign(attributes, name, attribute.payload);
  }
  return others.length === 0 ? attributes : { ...attributes, others };
}

function assign<Name extends Known>(
  attributes: { [Each in Known]?: NonNullable<XfrmAttributes[Each]> },
  name: Name,
  payload: Uint8Array,
): void {
  attributes[name] = codecs[name].decode(payload) as NonNullable<XfrmAttributes[Name]>;
}
