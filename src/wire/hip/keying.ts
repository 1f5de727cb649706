// Parameters that carry keys, identities and what proves them: DIFFIE_HELLMAN, HOST_ID, CERT, ENCRYPTED, MACs, signatures.
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { ParameterCodec, ParameterCodecs } from './codec.ts';
import { DiType } from './numbers.ts';
import type { HipMacParameter, HipParameterOf, HipSignatureParameter } from './parameters.ts';

function macCodec<Name extends HipMacParameter['type']>(name: Name): ParameterCodec<Name> {
  return {
    decode(reader) {
      if (reader.remaining === 0) throw reader.fail('truncated', `${name}.HMAC`);
      return { type: name, mac: reader.rest() } as HipParameterOf<Name>;
    },
    encode(writer, { mac }: HipMacParameter) {
      if (mac.length === 0) throw writer.fail('length', `${name}.HMAC`);
      writer.bytes(mac);
    },
  };
}

function signatureCodec<Name extends HipSignatureParameter['type']>(name: Name): ParameterCodec<Name> {
  return {
    decode(reader) {
      const algorithm = reader.u16(`${name}.algorithm`);
      return { type: name, algorithm, signature: reader.rest() } as HipParameterOf<Name>;
    },
    encode(writer, { algorithm, signature }: HipSignatureParameter) {
      writer.u16(algorithm, `${name}.algorithm`).bytes(signature);
    },
  };
}

/** RFC 7401 5.2.9 */
function decodeHostId(reader: Reader): HipParameterOf<'HOST_ID'> {
  const length = reader.u16('HOST_ID.HI length');
  const typeAt = reader.offset;
  const typeAndLength = reader.u16('HOST_ID.DI length');
  const diType = typeAndLength >>> 12;
  const diLength = typeAndLength & 0x0fff;
  if (diType === DiType.NONE && diLength !== 0) {
    throw reader.failAt(typeAt, 'value', 'HOST_ID.DI-Type', `${diLength} octets of no Domain Identifier`);
  }
  const algorithm = reader.u16('HOST_ID.algorithm');
  const hostIdentity = reader.bytes(length, 'HOST_ID.Host Identity');
  const octets = reader.bytes(diLength, 'HOST_ID.Domain Identifier');
  if (diType === DiType.NONE) return { type: 'HOST_ID', algorithm, hostIdentity };
  return { type: 'HOST_ID', algorithm, hostIdentity, domainIdentifier: { type: diType, octets } };
}

function encodeHostId(writer: Writer, parameter: HipParameterOf<'HOST_ID'>): void {
  const { algorithm, hostIdentity, domainIdentifier } = parameter;
  const diType = domainIdentifier?.type ?? DiType.NONE;
  const diLength = domainIdentifier?.octets.length ?? 0;
  if (domainIdentifier !== undefined && (diType === DiType.NONE || diType > 15)) {
    throw writer.fail('value', 'HOST_ID.DI-Type', `${diType}`);
  }
  if (diLength > 0x0fff) throw writer.fail('length', 'HOST_ID.DI length', `${diLength}`);
  writer.u16(hostIdentity.length, 'HOST_ID.HI length');
  writer.u16(diType * 0x1000 + diLength, 'HOST_ID.DI length').u16(algorithm, 'HOST_ID.algorithm');
  writer.bytes(hostIdentity);
  if (domainIdentifier !== undefined) writer.bytes(domainIdentifier.octets);
}

export const keyingCodecs: ParameterCodecs<
  | 'DIFFIE_HELLMAN'
  | 'HOST_ID'
  | 'CERT'
  | 'ENCRYPTED'
  | 'HIP_MAC'
  | 'HIP_MAC_2'
  | 'RVS_HMAC'
  | 'RELAY_HMAC'
  | 'HIP_SIGNATURE'
  | 'HIP_SIGNATURE_2'
> = {
  DIFFIE_HELLMAN: {
    decode(reader) {
      const group = reader.u8('DIFFIE_HELLMAN.group');
      const length = reader.u16('DIFFIE_HELLMAN.length');
      const publicValue = reader.bytes(length, 'DIFFIE_HELLMAN.public value');
      return { type: 'DIFFIE_HELLMAN', group, publicValue };
    },
    encode(writer, { group, publicValue }) {
      writer.u8(group, 'DIFFIE_HELLMAN.group').u16(publicValue.length, 'DIFFIE_HELLMAN.length');
      writer.bytes(publicValue);
    },
  },
  HOST_ID: { decode: decodeHostId, encode: encodeHostId },
  CERT: {
    decode: (reader) => ({
      type: 'CERT',
      group: reader.u8('CERT.group'),
      count: reader.u8('CERT.count'),
      id: reader.u8('CERT.ID'),
      certType: reader.u8('CERT.type'),
      certificate: reader.rest(),
    }),
    encode(writer, { group, count, id, certType, certificate }) {
      writer.u8(group, 'CERT.group').u8(count, 'CERT.count').u8(id, 'CERT.ID').u8(certType, 'CERT.type');
      writer.bytes(certificate);
    },
  },
  ENCRYPTED: {
    decode(reader) {
      reader.skip(4, 'ENCRYPTED.reserved');
      return { type: 'ENCRYPTED', body: reader.rest() };
    },
    encode: (writer, { body }) => void writer.zeros(4).bytes(body),
  },
  HIP_MAC: macCodec('HIP_MAC'),
  HIP_MAC_2: macCodec('HIP_MAC_2'),
  RVS_HMAC: macCodec('RVS_HMAC'),
  RELAY_HMAC: macCodec('RELAY_HMAC'),
  HIP_SIGNATURE: signatureCodec('HIP_SIGNATURE'),
  HIP_SIGNATURE_2: signatureCodec('HIP_SIGNATURE_2'),
};
