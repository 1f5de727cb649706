// Identification payloads of initiator and responder (RFC 7296 3.5).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { ikeLimits } from './limits.ts';
import type { IdPayload } from './payloads.ts';

export function decodeId(reader: Reader, type: IdPayload['type']): IdPayload {
  const idType = reader.u8(`${type}.ID type`);
  reader.skip(3, `${type}.reserved`);
  if (reader.remaining > ikeLimits.identityBytes) throw reader.fail('limit', `${type}.data`);
  return { type, idType, data: reader.rest() };
}

export function encodeId(writer: Writer, payload: IdPayload): void {
  writer.u8(payload.idType, `${payload.type}.ID type`).zeros(3).bytes(payload.data);
}
