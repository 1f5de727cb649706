// The fields that a gateway's and a client's half of a ticket have in common, read and written.
import type { IkeSuite } from '#sa';
import { type IkeSpi, ikeSpiBytes, ikeSpiFromBytes, type Reader, type Writer } from '#wire';
import type { Identity } from '../configuration.ts';

export function writeSuite(writer: Writer, suite: IkeSuite): void {
  writer
    .u16(suite.encr.id, 'ticket.encr')
    .u16(suite.encr.keyLengthBits, 'ticket.encr.keyLength')
    .u16(suite.prf, 'ticket.prf')
    // Transform type 3 has 0 for "none" (RFC 7296 3.3.2).
    .u16(suite.integ ?? 0, 'ticket.integ')
    .u16(suite.ke, 'ticket.ke');
}

export function readSuite(reader: Reader): IkeSuite {
  const encr = { id: reader.u16('ticket.encr'), keyLengthBits: reader.u16('ticket.encr.keyLength') };
  const prf = reader.u16('ticket.prf');
  const integ = reader.u16('ticket.integ');
  const ke = reader.u16('ticket.ke');
  return { encr, prf, ...(integ > 0 && { integ }), ke };
}

export function writeOctets8(writer: Writer, octets: Uint8Array, field: string): void {
  writer.u8(octets.length, `${field}.length`).bytes(octets);
}

/** A copy: the octets that it was read from are wiped. */
export function readOctets8(reader: Reader, field: string): Uint8Array {
  return reader.bytes(reader.u8(`${field}.length`), field).slice();
}

export function writeIdentity(writer: Writer, { idType, data }: Identity): void {
  writer.u8(idType, 'ticket.ID.type').u16(data.length, 'ticket.ID.length').bytes(data);
}

export function readIdentity(reader: Reader): Identity {
  const idType = reader.u8('ticket.ID.type');
  return { idType, data: reader.bytes(reader.u16('ticket.ID.length'), 'ticket.ID').slice() };
}

export function writeSpi(writer: Writer, spi: IkeSpi): void {
  writer.bytes(ikeSpiBytes(spi));
}

export function readSpi(reader: Reader): IkeSpi {
  return ikeSpiFromBytes(reader.bytes(8, 'ticket.SPI'));
}

export function writeMs(writer: Writer, time: number): void {
  writer.u64(BigInt(Math.max(0, Math.round(time))), 'ticket.time');
}

export function readMs(reader: Reader): number {
  const { offset } = reader;
  const time = Number(reader.u64('ticket.time'));
  if (!Number.isSafeInteger(time)) throw reader.failAt(offset, 'value', 'ticket.time');
  return time;
}

/** Names as the language has them: 16-bit units, so that each comes back as it was. */
export function writeText(writer: Writer, text: string): void {
  writer.u16(text.length, 'ticket.name.length');
  for (let i = 0; i < text.length; i++) writer.u16(text.charCodeAt(i), 'ticket.name');
}

export function readText(reader: Reader): string {
  const length = reader.u16('ticket.name.length');
  let text = '';
  for (let i = 0; i < length; i++) text += String.fromCharCode(reader.u16('ticket.name'));
  return text;
}
