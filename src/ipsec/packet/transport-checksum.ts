// TCP and UDP checksums behind a NAT: RFC 3948 3.1.2, procedure 2.
import { finishChecksum, IpProtocol, readU16, sumPseudoHeader, sumWords, writeU16 } from '#wire';
import type { PacketFields } from './packet-fields.ts';

/**
 * Recomputes the checksum of a packet whose addresses a NAT has changed under transport mode. The ICV has vouched for
 * the octets, so nothing is lost by not comparing the old one. False if the upper layer is too short to have one.
 */
export function recomputeTransportChecksum(octets: Uint8Array, fields: PacketFields): boolean {
  const { protocol, payloadOffset, end } = fields;
  if (protocol !== IpProtocol.TCP && protocol !== IpProtocol.UDP) return true;
  const length = end - payloadOffset;
  if (length < (protocol === IpProtocol.TCP ? 20 : 8)) return false;
  const at = payloadOffset + (protocol === IpProtocol.TCP ? 16 : 6);
  // RFC 768: 0 says that the sender computed none.
  if (protocol === IpProtocol.UDP && fields.version === 4 && readU16(octets, at) === 0) return true;
  writeU16(octets, at, 0);
  const { sourceOffset, destinationOffset } = fields;
  const addressLength = fields.version === 4 ? 4 : 16;
  const header = sumPseudoHeader(octets, sourceOffset, destinationOffset, addressLength, protocol, length);
  const checksum = finishChecksum(sumWords(octets, payloadOffset, end, header));
  writeU16(octets, at, protocol === IpProtocol.UDP && checksum === 0 ? 0xffff : checksum);
  return true;
}
