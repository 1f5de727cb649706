// LOCATOR_SET: the addresses under which a host can be reached (RFC 8046 4, RFC 9028 5.7).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { decodeAddress, encodeAddress } from './address.ts';
import type { ParameterCodecs } from './codec.ts';
import { LocatorType } from './numbers.ts';
import type { Locator } from './parameters.ts';

const preferredBit = 0x01;
const field = 'LOCATOR_SET.locator';

/** In units of four octets, of the types whose format is known. */
const lengths: ReadonlyMap<number, number> = new Map([
  [LocatorType.ADDRESS, 4],
  [LocatorType.ESP_SPI_ADDRESS, 5],
  [LocatorType.TRANSPORT_ADDRESS, 7],
]);

function decodeLocator(reader: Reader): Locator {
  const trafficType = reader.u8('LOCATOR_SET.traffic type');
  const locatorType = reader.u8('LOCATOR_SET.locator type');
  const lengthAt = reader.offset;
  const length = reader.u8('LOCATOR_SET.locator length');
  const preferred = (reader.u8('LOCATOR_SET.preferred') & preferredBit) !== 0;
  const lifetimeAt = reader.offset;
  const lifetimeSeconds = reader.u32('LOCATOR_SET.lifetime');
  // RFC 8046 4: each locator has a lifetime other than zero.
  if (lifetimeSeconds === 0) throw reader.failAt(lifetimeAt, 'value', 'LOCATOR_SET.lifetime', 'zero');
  const common = { trafficType, preferred, lifetimeSeconds };
  const known = lengths.get(locatorType);
  if (known !== undefined && known !== length) {
    throw reader.failAt(
      lengthAt,
      'length',
      'LOCATOR_SET.locator length',
      `${length} for type ${locatorType}`,
    );
  }
  const body = reader.sub(length * 4, field);
  switch (locatorType) {
    case LocatorType.ADDRESS:
      return { ...common, locatorType, address: decodeAddress(body, field) };
    case LocatorType.ESP_SPI_ADDRESS: {
      const spi = body.u32('LOCATOR_SET.SPI');
      return { ...common, locatorType, spi, address: decodeAddress(body, field) };
    }
    case LocatorType.TRANSPORT_ADDRESS: {
      const port = body.u16('LOCATOR_SET.port');
      const protocol = body.u8('LOCATOR_SET.protocol');
      const kind = body.u8('LOCATOR_SET.kind');
      const priority = body.u32('LOCATOR_SET.priority');
      const spi = body.u32('LOCATOR_SET.SPI');
      return {
        ...common,
        locatorType,
        port,
        protocol,
        kind,
        priority,
        spi,
        address: decodeAddress(body, field),
      };
    }
    default:
      return { ...common, locatorType, body: body.rest() };
  }
}

function encodeLocator(writer: Writer, locator: Locator): void {
  if (locator.lifetimeSeconds === 0) throw writer.fail('value', 'LOCATOR_SET.lifetime', 'zero');
  writer
    .u8(locator.trafficType, 'LOCATOR_SET.traffic type')
    .u8(locator.locatorType, 'LOCATOR_SET.locator type');
  const lengthAt = writer.length;
  writer
    .u8(0, 'LOCATOR_SET.locator length')
    .u8(locator.preferred ? preferredBit : 0, 'LOCATOR_SET.preferred');
  writer.u32(locator.lifetimeSeconds, 'LOCATOR_SET.lifetime');
  const start = writer.length;
  if ('body' in locator) {
    if (lengths.has(locator.locatorType) || locator.body.length % 4 !== 0) throw writer.fail('length', field);
    writer.bytes(locator.body);
  } else {
    if ('port' in locator) {
      writer.u16(locator.port, 'LOCATOR_SET.port').u8(locator.protocol, 'LOCATOR_SET.protocol');
      writer.u8(locator.kind, 'LOCATOR_SET.kind').u32(locator.priority, 'LOCATOR_SET.priority');
    }
    if ('spi' in locator) writer.u32(locator.spi, 'LOCATOR_SET.SPI');
    encodeAddress(writer, locator.address, field);
  }
  writer.patchU8(lengthAt, (writer.length - start) / 4, 'LOCATOR_SET.locator length');
}

export const locatorCodecs: ParameterCodecs<'LOCATOR_SET'> = {
  LOCATOR_SET: {
    decode(reader) {
      const locators: Locator[] = [];
      while (reader.remaining > 0) locators.push(decodeLocator(reader));
      return { type: 'LOCATOR_SET', locators };
    },
    encode(writer, { locators }) {
      for (const locator of locators) encodeLocator(writer, locator);
    },
  },
};
