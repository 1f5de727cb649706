// Notify payload (RFC 7296 3.10).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { NotifyPayload } from './payloads.ts';

const empty: Uint8Array = new Uint8Array(0);

/** A Notify payload about no SA and without data, unless told otherwise. */
export function notify(
  notifyType: number,
  about: { readonly protocolId?: number; readonly spi?: Uint8Array; readonly data?: Uint8Array } = {},
): NotifyPayload {
  const { protocolId = 0, spi = empty, data = empty } = about;
  return { type: 'N', protocolId, spi, notifyType, data };
}

export function decodeNotify(reader: Reader): NotifyPayload {
  const protocolId = reader.u8('N.protocol');
  const spiSize = reader.u8('N.SPI size');
  const notifyType = reader.u16('N.type');
  const spi = reader.bytes(spiSize, 'N.SPI');
  return { type: 'N', protocolId, spi, notifyType, data: reader.rest() };
}

export function encodeNotify(writer: Writer, payload: NotifyPayload): void {
  writer.u8(payload.protocolId, 'N.protocol').u8(payload.spi.length, 'N.SPI size');
  writer.u16(payload.notifyType, 'N.type').bytes(payload.spi).bytes(payload.data);
}
