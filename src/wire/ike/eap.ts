// EAP payload: one EAP message, whose own length must fill the payload (RFC 7296 3.16).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { EapPayload } from './payloads.ts';

function lengthFits(message: Uint8Array): boolean {
  const [, , high, low] = message;
  return high !== undefined && low !== undefined && high * 256 + low === message.length;
}

export function decodeEap(reader: Reader): EapPayload {
  const start = reader.offset;
  const message = reader.rest();
  if (!lengthFits(message)) throw reader.failAt(start, 'length', 'EAP.length');
  return { type: 'EAP', message };
}

export function encodeEap(writer: Writer, payload: EapPayload): void {
  if (!lengthFits(payload.message)) throw writer.fail('length', 'EAP.length');
  writer.bytes(payload.message);
}
