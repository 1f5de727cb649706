// Parameters of relays and connectivity checks (RFC 9028 5.5, 5.6, 5.12 to 5.15).
import { decodeAddress, encodeAddress } from './address.ts';
import type { ParameterCodec, ParameterCodecs } from './codec.ts';
import type { HipParameterOf, TransportAddressParameter } from './parameters.ts';

function transportAddressCodec<Name extends TransportAddressParameter['type']>(
  name: Name,
): ParameterCodec<Name> {
  return {
    decode(reader) {
      const port = reader.u16(`${name}.port`);
      const protocol = reader.u8(`${name}.protocol`);
      reader.skip(1, `${name}.reserved`);
      const address = decodeAddress(reader, `${name}.address`);
      return { type: name, port, protocol, address } as HipParameterOf<Name>;
    },
    encode(writer, { port, protocol, address }: TransportAddressParameter) {
      writer.u16(port, `${name}.port`).u8(protocol, `${name}.protocol`).zeros(1);
      encodeAddress(writer, address, `${name}.address`);
    },
  };
}

export const natTraversalCodecs: ParameterCodecs<
  | 'TRANSACTION_PACING'
  | 'REG_FROM'
  | 'RELAY_FROM'
  | 'RELAY_TO'
  | 'RELAYED_ADDRESS'
  | 'MAPPED_ADDRESS'
  | 'PEER_PERMISSION'
  | 'CANDIDATE_PRIORITY'
  | 'NOMINATE'
> = {
  TRANSACTION_PACING: {
    decode: (reader) => ({ type: 'TRANSACTION_PACING', pacingMs: reader.u32('TRANSACTION_PACING.Min Ta') }),
    encode: (writer, { pacingMs }) => void writer.u32(pacingMs, 'TRANSACTION_PACING.Min Ta'),
  },
  REG_FROM: transportAddressCodec('REG_FROM'),
  RELAY_FROM: transportAddressCodec('RELAY_FROM'),
  RELAY_TO: transportAddressCodec('RELAY_TO'),
  RELAYED_ADDRESS: transportAddressCodec('RELAYED_ADDRESS'),
  MAPPED_ADDRESS: transportAddressCodec('MAPPED_ADDRESS'),
  PEER_PERMISSION: {
    decode(reader) {
      const relayPort = reader.u16('PEER_PERMISSION.RPort');
      const peerPort = reader.u16('PEER_PERMISSION.PPort');
      const protocol = reader.u8('PEER_PERMISSION.protocol');
      reader.skip(3, 'PEER_PERMISSION.reserved');
      return {
        type: 'PEER_PERMISSION',
        relayPort,
        peerPort,
        protocol,
        relayAddress: decodeAddress(reader, 'PEER_PERMISSION.RAddress'),
        peerAddress: decodeAddress(reader, 'PEER_PERMISSION.PAddress'),
        outboundSpi: reader.u32('PEER_PERMISSION.OSPI'),
        inboundSpi: reader.u32('PEER_PERMISSION.ISPI'),
      };
    },
    encode(writer, parameter) {
      writer
        .u16(parameter.relayPort, 'PEER_PERMISSION.RPort')
        .u16(parameter.peerPort, 'PEER_PERMISSION.PPort');
      writer.u8(parameter.protocol, 'PEER_PERMISSION.protocol').zeros(3);
      encodeAddress(writer, parameter.relayAddress, 'PEER_PERMISSION.RAddress');
      encodeAddress(writer, parameter.peerAddress, 'PEER_PERMISSION.PAddress');
      writer.u32(parameter.outboundSpi, 'PEER_PERMISSION.OSPI');
      writer.u32(parameter.inboundSpi, 'PEER_PERMISSION.ISPI');
    },
  },
  CANDIDATE_PRIORITY: {
    decode: (reader) => ({ type: 'CANDIDATE_PRIORITY', priority: reader.u32('CANDIDATE_PRIORITY.priority') }),
    encode: (writer, { priority }) => void writer.u32(priority, 'CANDIDATE_PRIORITY.priority'),
  },
  NOMINATE: {
    decode(reader) {
      reader.skip(4, 'NOMINATE.reserved');
      return { type: 'NOMINATE' };
    },
    encode: (writer) => void writer.zeros(4),
  },
};
