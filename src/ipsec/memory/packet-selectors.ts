// The traffic selectors of one outbound packet, for the first entries of TSi and TSr (RFC 7296 2.9).
import { selectorOfPacket, type TrafficSelector } from '#sa';
import { PacketFields } from '../packet/packet-fields.ts';

/** @param packet a well-formed IP packet */
export function selectorsOfPacket(packet: Uint8Array): {
  readonly local: TrafficSelector;
  readonly remote: TrafficSelector;
} {
  const fields = new PacketFields();
  if (!fields.read(packet, 0, packet.length)) throw new RangeError('not an IP packet');
  const selector = (addressAt: number, port: number): TrafficSelector => {
    const address = packet.subarray(addressAt, addressAt + fields.addressLength);
    const narrow = selectorOfPacket(Math.max(0, fields.protocol), address, port);
    // A protocol without ports, or a fragment that hides them, asks for all of them.
    return fields.portsOpaque ? { ...narrow, startPort: 0, endPort: 65535 } : narrow;
  };
  return {
    local: selector(fields.sourceOffset, fields.sourcePort),
    remote: selector(fields.destinationOffset, fields.destinationPort),
  };
}
