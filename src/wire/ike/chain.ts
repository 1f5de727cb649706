// The chain of payloads, each naming the type of the next (RFC 7296 3.2).
import { WireError } from '../error.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { ikeLimits } from './limits.ts';
import { decodePayloadBody, encodePayloadBody, isKnownPayloadType, payloadTypeOf } from './payload-codecs.ts';
import type { Payload, UnknownPayload } from './payloads.ts';
import { PayloadType } from './payloads.ts';

const genericHeaderLength = 4;
const criticalBit = 0x80;

function isEncrypted(type: number): boolean {
  return type === PayloadType.SK || type === PayloadType.SKF;
}

/** Reads payloads up to the end of `reader`; SK and SKF end the chain, their Next Payload is the first inside. */
export function decodeChain(firstPayload: number, reader: Reader): Payload[] {
  const payloads: Payload[] = [];
  let type = firstPayload;
  while (type !== PayloadType.none) {
    if (payloads.length === ikeLimits.payloads) throw reader.fail('limit', 'payload');
    const next = reader.u8('payload.next payload');
    const critical = (reader.u8('payload.critical') & criticalBit) !== 0;
    const lengthAt = reader.offset;
    const length = reader.u16('payload.length');
    if (length < genericHeaderLength) {
      throw reader.failAt(lengthAt, 'length', 'payload.length', `${length} octets`);
    }
    const payload = decodePayloadBody(type, reader.sub(length - genericHeaderLength, 'payload'), next);
    payloads.push(critical ? { ...payload, critical: true } : payload);
    type = isEncrypted(type) ? PayloadType.none : next;
  }
  reader.end('payload');
  return payloads;
}

/** Writes payloads one after the other; returns the type of the first. SK or SKF can only be the last. */
export function encodeChain(writer: Writer, payloads: readonly Payload[]): number {
  if (payloads.length > ikeLimits.payloads) throw writer.fail('limit', 'payload');
  payloads.forEach((payload, index) => {
    if (payload.type === 'unknown' && isKnownPayloadType(payload.payloadType)) {
      throw writer.fail('value', 'payload.type', `${payload.payloadType} is not unknown`);
    }
    const start = writer.length;
    const following = payloads[index + 1];
    let next = following === undefined ? PayloadType.none : payloadTypeOf(following);
    if (payload.type === 'SK' || payload.type === 'SKF') {
      if (following !== undefined) throw writer.fail('value', payload.type, 'not the last payload');
      next = payload.firstPayload;
    }
    writer.u8(next, 'payload.next payload').u8(payload.critical ? criticalBit : 0, 'payload.critical');
    writer.u16(0, 'payload.length');
    encodePayloadBody(writer, payload);
    writer.patchU16(start + 2, writer.length - start, 'payload.length');
  });
  return payloads[0] === undefined ? PayloadType.none : payloadTypeOf(payloads[0]);
}

/**
 * Reads the decrypted inside of SK (padding already removed). Offsets in errors count from its first octet.
 * Binary fields are views into `octets`, not copies.
 */
export function decodePayloads(firstPayload: number, octets: Uint8Array): Payload[] {
  const payloads = decodeChain(firstPayload, new Reader(octets));
  // The chain ends at SK or SKF, so only the last can be one.
  const last = payloads.at(-1);
  if (last?.type === 'SK' || last?.type === 'SKF') {
    throw new WireError('value', octets.length - last.body.length, last.type, 'encrypted twice');
  }
  return payloads;
}

/** The inside of SK before padding, and the type that SK's own header has to name. */
export function encodePayloads(payloads: readonly Payload[]): {
  readonly firstPayload: number;
  readonly octets: Uint8Array;
} {
  const writer = new Writer();
  const encrypted = payloads.find((payload) => payload.type === 'SK' || payload.type === 'SKF');
  if (encrypted !== undefined) throw writer.fail('value', encrypted.type, 'encrypted twice');
  const firstPayload = encodeChain(writer, payloads);
  return { firstPayload, octets: writer.finish() };
}

/**
 * The first payload that this codec does not know although its sender insists on it: the message has to be
 * rejected with UNSUPPORTED_CRITICAL_PAYLOAD naming its type (RFC 7296 2.5). The bit on known types means nothing.
 */
export function unknownCriticalPayload(payloads: readonly Payload[]): UnknownPayload | undefined {
  return payloads.find(
    (payload): payload is UnknownPayload => payload.type === 'unknown' && payload.critical === true,
  );
}
