// Parameters that are lists of numbers in order of preference.
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { ParameterCodecs } from './codec.ts';

/** RFC 7401 5.2.8, RFC 7402 5.1.2, RFC 9028 5.4: more are not sent, and not looked at when received. */
const listedMax = 6;

function decodeU8s(reader: Reader, field: string): number[] {
  const numbers: number[] = [];
  while (reader.remaining > 0) numbers.push(reader.u8(field));
  return numbers;
}

function decodeU16s(reader: Reader, field: string): number[] {
  const numbers: number[] = [];
  while (reader.remaining > 0) numbers.push(reader.u16(field));
  return numbers;
}

function encodeU8s(writer: Writer, numbers: readonly number[], field: string): void {
  for (const number of numbers) writer.u8(number, field);
}

function encodeU16s(writer: Writer, numbers: readonly number[], field: string): void {
  for (const number of numbers) writer.u16(number, field);
}

function encodeFewU16s(writer: Writer, numbers: readonly number[], field: string): void {
  if (numbers.length > listedMax)
    throw writer.fail('limit', field, `${numbers.length} of at most ${listedMax}`);
  encodeU16s(writer, numbers, field);
}

export const listCodecs: ParameterCodecs<
  | 'DH_GROUP_LIST'
  | 'HIP_CIPHER'
  | 'HIT_SUITE_LIST'
  | 'TRANSPORT_FORMAT_LIST'
  | 'ESP_TRANSFORM'
  | 'NAT_TRAVERSAL_MODE'
> = {
  DH_GROUP_LIST: {
    decode: (reader) => ({ type: 'DH_GROUP_LIST', groups: decodeU8s(reader, 'DH_GROUP_LIST.group') }),
    encode: (writer, { groups }) => encodeU8s(writer, groups, 'DH_GROUP_LIST.group'),
  },
  HIP_CIPHER: {
    decode: (reader) => ({
      type: 'HIP_CIPHER',
      ciphers: decodeU16s(reader, 'HIP_CIPHER.cipher').slice(0, listedMax),
    }),
    encode: (writer, { ciphers }) => encodeFewU16s(writer, ciphers, 'HIP_CIPHER.cipher'),
  },
  HIT_SUITE_LIST: {
    decode(reader) {
      const at = reader.offset;
      const encodings = decodeU8s(reader, 'HIT_SUITE_LIST.suite');
      // RFC 7401 5.2.10: the suite is in the four high bits, and anything in the low ones an error.
      const wrong = encodings.findIndex((encoding) => (encoding & 0x0f) !== 0);
      if (wrong >= 0) throw reader.failAt(at + wrong, 'value', 'HIT_SUITE_LIST.suite', `${encodings[wrong]}`);
      return { type: 'HIT_SUITE_LIST', suites: encodings.map((encoding) => encoding >>> 4) };
    },
    encode(writer, { suites }) {
      encodeU8s(
        writer,
        suites.map((suite) => suite * 16),
        'HIT_SUITE_LIST.suite',
      );
    },
  },
  TRANSPORT_FORMAT_LIST: {
    decode: (reader) => ({
      type: 'TRANSPORT_FORMAT_LIST',
      formats: decodeU16s(reader, 'TRANSPORT_FORMAT_LIST.format'),
    }),
    encode: (writer, { formats }) => encodeU16s(writer, formats, 'TRANSPORT_FORMAT_LIST.format'),
  },
  ESP_TRANSFORM: {
    decode(reader) {
      reader.skip(2, 'ESP_TRANSFORM.reserved');
      return { type: 'ESP_TRANSFORM', suites: decodeU16s(reader, 'ESP_TRANSFORM.suite').slice(0, listedMax) };
    },
    encode: (writer, { suites }) => encodeFewU16s(writer.zeros(2), suites, 'ESP_TRANSFORM.suite'),
  },
  NAT_TRAVERSAL_MODE: {
    decode(reader) {
      reader.skip(2, 'NAT_TRAVERSAL_MODE.reserved');
      const modes = decodeU16s(reader, 'NAT_TRAVERSAL_MODE.mode').slice(0, listedMax);
      return { type: 'NAT_TRAVERSAL_MODE', modes };
    },
    encode: (writer, { modes }) => encodeFewU16s(writer.zeros(2), modes, 'NAT_TRAVERSAL_MODE.mode'),
  },
};
