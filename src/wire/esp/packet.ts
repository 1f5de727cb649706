// The visible part of an ESP packet (RFC 4303 2): SPI and sequence number before opaque octets.
import { WireError } from '../error.ts';
import { requireRange } from '../field.ts';
import { readU32, writeU32 } from '../octets.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';

export interface EspPacket {
  /** Not zero (RFC 4303 2.1). */
  readonly spi: number;
  /** The low 32 bits, also with extended sequence numbers (RFC 4303 2.2.1). */
  readonly sequence: number;
  /** IV, ciphertext and ICV: only the SA knows where one ends. */
  readonly body: Uint8Array;
}

export const espHeaderLength = 8;

/** Reads the payload of an IP packet of protocol 50, or of a datagram classified 'esp'. Throws `WireError`. */
export function decodeEsp(octets: Uint8Array): EspPacket {
  const reader = new Reader(octets);
  const spi = reader.u32('ESP.SPI');
  if (spi === 0) throw new WireError('value', 0, 'ESP.SPI', 'zero is never sent');
  return { spi, sequence: reader.u32('ESP.sequenceNumber'), body: reader.rest() };
}

/** Throws `WireError`. */
export function encodeEsp(packet: EspPacket): Uint8Array {
  if (packet.spi === 0) throw new WireError('value', 0, 'ESP.SPI', 'zero is never sent');
  return new Writer(espHeaderLength + packet.body.length)
    .u32(packet.spi, 'ESP.SPI')
    .u32(packet.sequence, 'ESP.sequenceNumber')
    .bytes(packet.body)
    .finish();
}

/** The SPI at `offset` for the data path; -1 if fewer than 8 octets lie between `offset` and `end`. */
export function readEspSpi(octets: Uint8Array, offset: number, end: number = octets.length): number {
  return end - offset < espHeaderLength || end > octets.length ? -1 : readU32(octets, offset);
}

/** Writes SPI and sequence number into a caller-owned buffer that has 8 octets of room at `offset`. */
export function writeEspHeader(octets: Uint8Array, offset: number, spi: number, sequence: number): void {
  requireRange(offset, octets.length - espHeaderLength, offset, 'ESP.header');
  writeU32(octets, offset, spi);
  writeU32(octets, offset + 4, sequence);
}
