// The list of parameters behind the header, or inside ENCRYPTED: Type, Length, Contents, Padding (RFC 7401 5.2.1).
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { associationCodecs } from './association.ts';
import type { ParameterCodec, ParameterCodecs } from './codec.ts';
import { keyingCodecs } from './keying.ts';
import { listCodecs } from './lists.ts';
import { locatorCodecs } from './locator-set.ts';
import { natTraversalCodecs } from './nat-traversal.ts';
import { HipParameterType } from './numbers.ts';
import type { HipParameter, HipParameterName, HipParameterOf, UnknownHipParameter } from './parameters.ts';
import { puzzleCodecs } from './puzzle.ts';
import { registrationCodecs } from './registration.ts';

const parameterHeaderLength = 4;

const codecs: ParameterCodecs<HipParameterName> = {
  ...associationCodecs,
  ...keyingCodecs,
  ...listCodecs,
  ...locatorCodecs,
  ...natTraversalCodecs,
  ...puzzleCodecs,
  ...registrationCodecs,
};

const names: ReadonlyMap<number, HipParameterName> = new Map(
  (Object.keys(codecs) as HipParameterName[]).map((name) => [HipParameterType[name], name]),
);

/** The number a parameter has on the wire. */
export function hipParameterTypeOf(parameter: HipParameter): number {
  return parameter.type === 'unknown' ? parameter.parameterType : HipParameterType[parameter.type];
}

/** Octets of padding behind contents of this length: up to a whole number of eight (RFC 7401 5.2.1). */
function paddingLength(contentsLength: number): number {
  return (8 - ((parameterHeaderLength + contentsLength) % 8)) % 8;
}

/** Where one parameter stands in a packet, without what it means. */
export interface ParameterSpan {
  readonly parameterType: number;
  /** Of its Type field. */
  readonly start: number;
  /** The contents, as long as Length says. */
  readonly contents: Reader;
  /** Behind the padding. */
  readonly end: number;
}

/** Walks over the parameters up to the end of `reader`. Types must not fall: RFC 7401 5.2.1 calls that malformed. */
export function* parameterSpans(reader: Reader): Generator<ParameterSpan, void, undefined> {
  let last = 0;
  while (reader.remaining > 0) {
    const start = reader.offset;
    const parameterType = reader.u16('parameter.type');
    if (parameterType < last) {
      throw reader.failAt(start, 'value', 'parameter.type', `${parameterType} behind ${last}`);
    }
    last = parameterType;
    const length = reader.u16('parameter.length');
    const contents = reader.sub(length, 'parameter.contents');
    // Padding is not compared with zero: its values should not be checked.
    reader.skip(paddingLength(length), 'parameter.padding');
    yield { parameterType, start, contents, end: reader.offset };
  }
}

export function decodeParameterList(reader: Reader): HipParameter[] {
  const parameters: HipParameter[] = [];
  for (const { parameterType, contents } of parameterSpans(reader)) {
    const name = names.get(parameterType);
    if (name === undefined) {
      parameters.push({ type: 'unknown', parameterType, contents: contents.rest() });
      continue;
    }
    parameters.push(codecs[name].decode(contents));
    contents.end(name);
  }
  return parameters;
}

function encodeContents<Name extends HipParameterName>(
  name: Name,
  writer: Writer,
  parameter: HipParameterOf<Name>,
): void {
  const codec: ParameterCodec<Name> = codecs[name];
  codec.encode(writer, parameter);
}

/** Writes parameters in the order of their types, those of one type in the order given. */
export function encodeParameterList(writer: Writer, parameters: readonly HipParameter[]): void {
  const ordered = parameters.toSorted((one, other) => hipParameterTypeOf(one) - hipParameterTypeOf(other));
  for (const parameter of ordered) {
    if (parameter.type === 'unknown' && names.has(parameter.parameterType)) {
      throw writer.fail('value', 'parameter.type', `${parameter.parameterType} is not unknown`);
    }
    const start = writer.length;
    writer.u16(hipParameterTypeOf(parameter), 'parameter.type').u16(0, 'parameter.length');
    if (parameter.type === 'unknown') writer.bytes(parameter.contents);
    else encodeContents(parameter.type, writer, parameter);
    const length = writer.length - start - parameterHeaderLength;
    writer.patchU16(start + 2, length, 'parameter.length');
    writer.zeros(paddingLength(length));
  }
}

/** Reads the decrypted inside of ENCRYPTED. Offsets in errors count from its first octet; fields are views. */
export function decodeHipParameters(octets: Uint8Array): HipParameter[] {
  return decodeParameterList(new Reader(octets));
}

/** Parameters by themselves: the inside of ENCRYPTED before encryption, or the HOST_ID that HIP_MAC_2 covers. */
export function encodeHipParameters(parameters: readonly HipParameter[]): Uint8Array {
  const writer = new Writer();
  encodeParameterList(writer, parameters);
  return writer.finish();
}

/**
 * The first parameter that this codec does not know although its sender insists on it: the packet must not be
 * processed any further (RFC 7401 5.2.1).
 */
export function unknownCriticalParameter(
  parameters: readonly HipParameter[],
): UnknownHipParameter | undefined {
  return parameters.find(
    (parameter): parameter is UnknownHipParameter =>
      parameter.type === 'unknown' && parameter.parameterType % 2 === 1,
  );
}

/** The first parameter of a type. */
export function hipParameter<Name extends HipParameterName>(
  parameters: readonly HipParameter[],
  name: Name,
): HipParameterOf<Name> | undefined {
  return parameters.find((parameter): parameter is HipParameterOf<Name> => parameter.type === name);
}
