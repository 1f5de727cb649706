// Parameters of a living association: SEQ, ACK, NOTIFICATION, echoes, ESP_INFO (RFC 7401 5.2.16 to 5.2.23, RFC 7402 5.1.1).
import type { ParameterCodec, ParameterCodecs } from './codec.ts';
import type { EchoParameter, HipParameterOf } from './parameters.ts';

function echoCodec<Name extends EchoParameter['type']>(name: Name): ParameterCodec<Name> {
  return {
    decode: (reader) => ({ type: name, data: reader.rest() }) as HipParameterOf<Name>,
    encode: (writer, { data }: EchoParameter) => void writer.bytes(data),
  };
}

export const associationCodecs: ParameterCodecs<
  | 'SEQ'
  | 'ACK'
  | 'NOTIFICATION'
  | 'ECHO_REQUEST_SIGNED'
  | 'ECHO_REQUEST_UNSIGNED'
  | 'ECHO_RESPONSE_SIGNED'
  | 'ECHO_RESPONSE_UNSIGNED'
  | 'ESP_INFO'
> = {
  SEQ: {
    decode: (reader) => ({ type: 'SEQ', updateId: reader.u32('SEQ.Update ID') }),
    encode: (writer, { updateId }) => void writer.u32(updateId, 'SEQ.Update ID'),
  },
  ACK: {
    decode(reader) {
      const updateIds = [reader.u32('ACK.Update ID')];
      while (reader.remaining > 0) updateIds.push(reader.u32('ACK.Update ID'));
      return { type: 'ACK', updateIds };
    },
    encode(writer, { updateIds }) {
      if (updateIds.length === 0) throw writer.fail('value', 'ACK.Update ID', 'none');
      for (const updateId of updateIds) writer.u32(updateId, 'ACK.Update ID');
    },
  },
  NOTIFICATION: {
    decode(reader) {
      reader.skip(2, 'NOTIFICATION.reserved');
      const notifyType = reader.u16('NOTIFICATION.type');
      return { type: 'NOTIFICATION', notifyType, data: reader.rest() };
    },
    encode(writer, { notifyType, data }) {
      writer.zeros(2).u16(notifyType, 'NOTIFICATION.type').bytes(data);
    },
  },
  ECHO_REQUEST_SIGNED: echoCodec('ECHO_REQUEST_SIGNED'),
  ECHO_REQUEST_UNSIGNED: echoCodec('ECHO_REQUEST_UNSIGNED'),
  ECHO_RESPONSE_SIGNED: echoCodec('ECHO_RESPONSE_SIGNED'),
  ECHO_RESPONSE_UNSIGNED: echoCodec('ECHO_RESPONSE_UNSIGNED'),
  ESP_INFO: {
    decode(reader) {
      reader.skip(2, 'ESP_INFO.reserved');
      const keymatIndex = reader.u16('ESP_INFO.KEYMAT index');
      const oldSpi = reader.u32('ESP_INFO.OLD SPI');
      return { type: 'ESP_INFO', keymatIndex, oldSpi, newSpi: reader.u32('ESP_INFO.NEW SPI') };
    },
    encode(writer, { keymatIndex, oldSpi, newSpi }) {
      writer.zeros(2).u16(keymatIndex, 'ESP_INFO.KEYMAT index');
      writer.u32(oldSpi, 'ESP_INFO.OLD SPI').u32(newSpi, 'ESP_INFO.NEW SPI');
    },
  },
};
