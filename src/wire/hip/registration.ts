// Registration with services and rendezvous servers (RFC 8003 4.2 to 4.5, RFC 8004 4.2).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { decodeAddress, encodeAddress } from './address.ts';
import type { ParameterCodec, ParameterCodecs } from './codec.ts';
import type { HipParameterOf, RegistrationParameter } from './parameters.ts';

function decodeTypes(reader: Reader): number[] {
  return [...reader.rest()];
}

function encodeTypes(writer: Writer, types: readonly number[], name: string): void {
  for (const type of types) writer.u8(type, `${name}.type`);
}

function registrationCodec<Name extends RegistrationParameter['type']>(name: Name): ParameterCodec<Name> {
  return {
    decode(reader) {
      const lifetime = reader.u8(`${name}.lifetime`);
      return { type: name, lifetime, registrationTypes: decodeTypes(reader) } as HipParameterOf<Name>;
    },
    encode(writer, { lifetime, registrationTypes }: RegistrationParameter) {
      encodeTypes(writer.u8(lifetime, `${name}.lifetime`), registrationTypes, name);
    },
  };
}

export const registrationCodecs: ParameterCodecs<
  'REG_INFO' | 'REG_REQUEST' | 'REG_RESPONSE' | 'REG_FAILED' | 'FROM' | 'VIA_RVS'
> = {
  REG_INFO: {
    decode: (reader) => ({
      type: 'REG_INFO',
      minimumLifetime: reader.u8('REG_INFO.minimum lifetime'),
      maximumLifetime: reader.u8('REG_INFO.maximum lifetime'),
      registrationTypes: decodeTypes(reader),
    }),
    encode(writer, { minimumLifetime, maximumLifetime, registrationTypes }) {
      writer
        .u8(minimumLifetime, 'REG_INFO.minimum lifetime')
        .u8(maximumLifetime, 'REG_INFO.maximum lifetime');
      encodeTypes(writer, registrationTypes, 'REG_INFO');
    },
  },
  REG_REQUEST: registrationCodec('REG_REQUEST'),
  REG_RESPONSE: registrationCodec('REG_RESPONSE'),
  REG_FAILED: {
    decode: (reader) => ({
      type: 'REG_FAILED',
      failureType: reader.u8('REG_FAILED.failure type'),
      registrationTypes: decodeTypes(reader),
    }),
    encode(writer, { failureType, registrationTypes }) {
      encodeTypes(writer.u8(failureType, 'REG_FAILED.failure type'), registrationTypes, 'REG_FAILED');
    },
  },
  FROM: {
    decode: (reader) => ({ type: 'FROM', address: decodeAddress(reader, 'FROM.address') }),
    encode: (writer, { address }) => encodeAddress(writer, address, 'FROM.address'),
  },
  VIA_RVS: {
    decode(reader) {
      const addresses: Uint8Array[] = [];
      while (reader.remaining > 0) addresses.push(decodeAddress(reader, 'VIA_RVS.address'));
      return { type: 'VIA_RVS', addresses };
    },
    encode(writer, { addresses }) {
      for (const address of addresses) encodeAddress(writer, address, 'VIA_RVS.address');
    },
  },
};
