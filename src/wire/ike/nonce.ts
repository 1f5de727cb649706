// Nonce payload (RFC 7296 3.9).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { NoncePayload } from './payloads.ts';

const lengthMin = 16;
const lengthMax = 256;

export function decodeNonce(reader: Reader): NoncePayload {
  if (reader.remaining < lengthMin || reader.remaining > lengthMax) {
    throw reader.fail('length', 'Nonce', `${reader.remaining} octets`);
  }
  return { type: 'Nonce', data: reader.rest() };
}

export function encodeNonce(writer: Writer, payload: NoncePayload): void {
  const { length } = payload.data;
  if (length < lengthMin || length > lengthMax) throw writer.fail('length', 'Nonce', `${length} octets`);
  writer.bytes(payload.data);
}
