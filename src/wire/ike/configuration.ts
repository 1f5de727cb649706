// Configuration payload (RFC 7296 3.15).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { ikeLimits } from './limits.ts';
import type { CfgAttributeValue, CpPayload } from './payloads.ts';

export function decodeCp(reader: Reader): CpPayload {
  const cfgType = reader.u8('CP.CFG type');
  reader.skip(3, 'CP.reserved');
  const attributes: CfgAttributeValue[] = [];
  while (reader.remaining > 0) {
    if (attributes.length === ikeLimits.configurationAttributes) throw reader.fail('limit', 'CP.attribute');
    // The top bit is reserved.
    const type = reader.u16('CP.attribute.type') & 0x7fff;
    const length = reader.u16('CP.attribute.length');
    attributes.push({ type, value: reader.bytes(length, 'CP.attribute.value') });
  }
  return { type: 'CP', cfgType, attributes };
}

export function encodeCp(writer: Writer, payload: CpPayload): void {
  if (payload.attributes.length > ikeLimits.configurationAttributes)
    throw writer.fail('limit', 'CP.attribute');
  writer.u8(payload.cfgType, 'CP.CFG type').zeros(3);
  for (const { type, value } of payload.attributes) {
    if (type > 0x7fff) throw writer.fail('value', 'CP.attribute.type');
    writer.u16(type, 'CP.attribute.type').u16(value.length, 'CP.attribute.length').bytes(value);
  }
}
