// Key Exchange payload (RFC 7296 3.4).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { KePayload } from './payloads.ts';

export function decodeKe(reader: Reader): KePayload {
  const group = reader.u16('KE.group');
  reader.skip(2, 'KE.reserved');
  return { type: 'KE', group, data: reader.rest() };
}

export function encodeKe(writer: Writer, payload: KePayload): void {
  writer.u16(payload.group, 'KE.group').zeros(2).bytes(payload.data);
}
