// Key Exchange payload (RFC 7296 3.4).
import { WireError } from '../error.ts';
import { readU16 } from '../octets.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { ikeHeaderLength } from './header.ts';
import { type KePayload, PayloadType } from './payloads.ts';

/** Before Key Exchange Data: the generic header, the group and a reserved field. */
const dataAt = 8;

export function decodeKe(reader: Reader): KePayload {
  const group = reader.u16('KE.group');
  reader.skip(2, 'KE.reserved');
  return { type: 'KE', group, data: reader.rest() };
}

export function encodeKe(writer: Writer, payload: KePayload): void {
  writer.u16(payload.group, 'KE.group').zeros(2).bytes(payload.data);
}

/** The Key Exchange Data of a message that we have encoded, in place: what it takes to know them may take long. */
export function keyExchangeData(message: Uint8Array): Uint8Array {
  let type = message[16]!;
  let at = ikeHeaderLength;
  while (type !== PayloadType.KE) {
    if (type === PayloadType.none) throw new WireError('value', at, 'KE', 'there is none');
    type = message[at]!;
    at += readU16(message, at + 2);
  }
  return message.subarray(at + dataAt, at + readU16(message, at + 2));
}
