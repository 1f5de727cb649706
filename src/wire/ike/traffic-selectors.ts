// Traffic Selector payloads of initiator and responder (RFC 7296 3.13).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { ikeLimits } from './limits.ts';
import type { TsPayload, WireTrafficSelector } from './payloads.ts';
import { TsType } from './payloads.ts';

function addressLength(tsType: number): 4 | 16 | undefined {
  if (tsType === TsType.IPV4_ADDR_RANGE) return 4;
  if (tsType === TsType.IPV6_ADDR_RANGE) return 16;
  return undefined;
}

function decodeSelector(reader: Reader, payload: string): WireTrafficSelector {
  const tsType = reader.u8(`${payload}.TS type`);
  const protocol = reader.u8(`${payload}.protocol`);
  const lengthAt = reader.offset;
  const length = reader.u16(`${payload}.selector length`);
  const octets = addressLength(tsType);
  if (length < 4 || (octets !== undefined && length !== 8 + 2 * octets)) {
    throw reader.failAt(lengthAt, 'length', `${payload}.selector length`, `${length} octets`);
  }
  const body = reader.sub(length - 4, `${payload}.selector`);
  if (octets === undefined) {
    return { tsType, ...(protocol === 0 ? {} : { protocol }), body: body.rest() };
  }
  return {
    tsType: tsType as 7 | 8,
    protocol,
    startPort: body.u16(`${payload}.start port`),
    endPort: body.u16(`${payload}.end port`),
    startAddress: body.bytes(octets, `${payload}.start address`),
    endAddress: body.bytes(octets, `${payload}.end address`),
  };
}

function encodeSelector(writer: Writer, selector: WireTrafficSelector, payload: string): void {
  const octets = addressLength(selector.tsType);
  writer.u8(selector.tsType, `${payload}.TS type`);
  writer.u8(selector.protocol ?? 0, `${payload}.protocol`);
  if ('body' in selector) {
    if (octets !== undefined)
      throw writer.fail('value', `${payload}.TS type`, 'an address range needs addresses');
    writer.u16(selector.body.length + 4, `${payload}.selector length`).bytes(selector.body);
    return;
  }
  if (selector.startAddress.length !== octets || selector.endAddress.length !== octets) {
    throw writer.fail('length', `${payload}.address`);
  }
  writer.u16(8 + 2 * octets, `${payload}.selector length`);
  writer.u16(selector.startPort, `${payload}.start port`).u16(selector.endPort, `${payload}.end port`);
  writer.bytes(selector.startAddress).bytes(selector.endAddress);
}

export function decodeTs(reader: Reader, type: TsPayload['type']): TsPayload {
  const count = reader.u8(`${type}.selector count`);
  reader.skip(3, `${type}.reserved`);
  const selectors: WireTrafficSelector[] = [];
  while (selectors.length < count) selectors.push(decodeSelector(reader, type));
  reader.end(`${type}.selector`);
  return { type, selectors };
}

export function encodeTs(writer: Writer, payload: TsPayload): void {
  if (payload.selectors.length > ikeLimits.selectors)
    throw writer.fail('limit', `${payload.type}.selector count`);
  writer.u8(payload.selectors.length, `${payload.type}.selector count`).zeros(3);
  for (const selector of payload.selectors) encodeSelector(writer, selector, payload.type);
}
