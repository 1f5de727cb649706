// Authentication payload (RFC 7296 3.8).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { AuthPayload } from './payloads.ts';

export function decodeAuth(reader: Reader): AuthPayload {
  const method = reader.u8('AUTH.method');
  reader.skip(3, 'AUTH.reserved');
  return { type: 'AUTH', method, data: reader.rest() };
}

export function encodeAuth(writer: Writer, payload: AuthPayload): void {
  writer.u8(payload.method, 'AUTH.method').zeros(3).bytes(payload.data);
}
