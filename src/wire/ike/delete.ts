// Delete payload (RFC 7296 3.11).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { ikeLimits } from './limits.ts';
import type { DeletePayload } from './payloads.ts';

export function decodeDelete(reader: Reader): DeletePayload {
  const protocolId = reader.u8('D.protocol');
  const spiSize = reader.u8('D.SPI size');
  const count = reader.u16('D.SPI count');
  // An SPI of no octets would let four octets of input ask for 65,535 elements.
  if (count > ikeLimits.deletedSpis) throw reader.fail('limit', 'D.SPI count', String(count));
  const spis = Array.from({ length: count }, () => reader.bytes(spiSize, 'D.SPI'));
  reader.end('D.SPI');
  return { type: 'D', protocolId, spiSize, spis };
}

export function encodeDelete(writer: Writer, payload: DeletePayload): void {
  if (payload.spis.length > ikeLimits.deletedSpis) throw writer.fail('limit', 'D.SPI count');
  writer.u8(payload.protocolId, 'D.protocol').u8(payload.spiSize, 'D.SPI size');
  writer.u16(payload.spis.length, 'D.SPI count');
  for (const spi of payload.spis) {
    if (spi.length !== payload.spiSize) throw writer.fail('length', 'D.SPI', `${spi.length} octets`);
    writer.bytes(spi);
  }
}
