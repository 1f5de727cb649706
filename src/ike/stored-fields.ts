// Fields that stored state has in common, of tickets and of checkpoints: written, and read by anybody who finds them.
import { addressBytes, addressFromBytes, type Endpoint, type IkeSuite, type IpAddress } from '#sa';
import { type IkeSpi, ikeSpiBytes, ikeSpiFromBytes, type Reader, type Writer } from '#wire';
import type { Identity } from './configuration.ts';

export function writeSuite(writer: Writer, suite: IkeSuite): void {
  writer
    .u16(suite.encr.id, 'suite.encr')
    .u16(suite.encr.keyLengthBits, 'suite.encr.keyLength')
    .u16(suite.prf, 'suite.prf')
    // Transform type 3 has 0 for "none" (RFC 7296 3.3.2).
    .u16(suite.integ ?? 0, 'suite.integ')
    .u16(suite.ke, 'suite.ke');
}

export function readSuite(reader: Reader): IkeSuite {
  const encr = { id: reader.u16('suite.encr'), keyLengthBits: reader.u16('suite.encr.keyLength') };
  const prf = reader.u16('suite.prf');
  const integ = reader.u16('suite.integ');
  const ke = reader.u16('suite.ke');
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
  writer.u8(idType, 'ID.type').u16(data.length, 'ID.length').bytes(data);
}

export function readIdentity(reader: Reader): Identity {
  const idType = reader.u8('ID.type');
  return { idType, data: reader.bytes(reader.u16('ID.length'), 'ID').slice() };
}

export function writeSpi(writer: Writer, spi: IkeSpi): void {
  writer.bytes(ikeSpiBytes(spi));
}

export function readSpi(reader: Reader): IkeSpi {
  return ikeSpiFromBytes(reader.bytes(8, 'SPI'));
}

export function writeMs(writer: Writer, time: number): void {
  writer.u64(BigInt(Math.max(0, Math.round(time))), 'time');
}

export function readMs(reader: Reader): number {
  const { offset } = reader;
  const time = Number(reader.u64('time'));
  if (!Number.isSafeInteger(time)) throw reader.failAt(offset, 'value', 'time');
  return time;
}

/** Names as the language has them: 16-bit units, so that each comes back as it was. */
export function writeText(writer: Writer, text: string): void {
  writer.u16(text.length, 'name.length');
  for (let i = 0; i < text.length; i++) writer.u16(text.charCodeAt(i), 'name');
}

export function readText(reader: Reader): string {
  const length = reader.u16('name.length');
  let text = '';
  for (let i = 0; i < length; i++) text += String.fromCharCode(reader.u16('name'));
  return text;
}

export function writeAddress(writer: Writer, address: IpAddress): void {
  writeOctets8(writer, addressBytes(address), 'address');
}

export function readAddress(reader: Reader): IpAddress {
  const { offset } = reader;
  const octets = readOctets8(reader, 'address');
  if (octets.length !== 4 && octets.length !== 16) throw reader.failAt(offset, 'length', 'address');
  return addressFromBytes(octets);
}

export function writeEndpoint(writer: Writer, { address, port }: Endpoint): void {
  writeAddress(writer, address);
  writer.u16(port, 'port');
}

export function readEndpoint(reader: Reader): Endpoint {
  return { address: readAddress(reader), port: reader.u16('port') };
}
