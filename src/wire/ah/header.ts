// The Authentication Header (RFC 4302 2), alone and with what it covers.
import { WireError } from '../error.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';

export interface AuthenticationHeader {
  readonly spi: number;
  readonly sequence: number;
  /** With its padding: a multiple of 4 octets. */
  readonly icv: Uint8Array;
}

/** A header and what follows it: the payload of an IP packet of protocol 51. */
export interface AhPacket extends AuthenticationHeader {
  /** What the payload is, `IpProtocol`. */
  readonly nextHeader: number;
  readonly payload: Uint8Array;
}

/** Octets before the ICV. */
export const ahFixedLength = 12;

/** Largest ICV that the 8-bit length field can announce. */
export const ahIcvLengthMax: number = (0xff + 2) * 4 - ahFixedLength;

/** Reads one header from `reader`; the reserved field is ignored (RFC 4302 2.3). Throws `WireError`. */
export function readAuthenticationHeader(
  reader: Reader,
): AuthenticationHeader & { readonly nextHeader: number } {
  const nextHeader = reader.u8('AH.nextHeader');
  const length = (reader.u8('AH.payloadLength') + 2) * 4;
  if (length < ahFixedLength) throw new WireError('length', reader.offset - 1, 'AH.payloadLength');
  reader.skip(2, 'AH.reserved');
  const spi = reader.u32('AH.SPI');
  const sequence = reader.u32('AH.sequenceNumber');
  return { nextHeader, spi, sequence, icv: reader.bytes(length - ahFixedLength, 'AH.ICV') };
}

export function writeAuthenticationHeader(
  writer: Writer,
  header: AuthenticationHeader & { readonly nextHeader: number },
): void {
  const { icv } = header;
  if (icv.length % 4 !== 0 || icv.length > ahIcvLengthMax) {
    throw new WireError('length', writer.length + ahFixedLength, 'AH.ICV');
  }
  writer
    .u8(header.nextHeader, 'AH.nextHeader')
    .u8((ahFixedLength + icv.length) / 4 - 2, 'AH.payloadLength')
    .zeros(2)
    .u32(header.spi, 'AH.SPI')
    .u32(header.sequence, 'AH.sequenceNumber')
    .bytes(icv);
}

/** Reads the payload of an IP packet of protocol 51; `icv` and `payload` are views. Throws `WireError`. */
export function decodeAh(octets: Uint8Array): AhPacket {
  const reader = new Reader(octets);
  const header = readAuthenticationHeader(reader);
  return { ...header, payload: reader.rest() };
}

/** Throws `WireError`. */
export function encodeAh(packet: AhPacket): Uint8Array {
  const writer = new Writer(ahFixedLength + packet.icv.length + packet.payload.length);
  writeAuthenticationHeader(writer, packet);
  return writer.bytes(packet.payload).finish();
}
