// HIP's way to say what is wrong with a packet, as an unknown SPI: an ICMP Parameter Problem that points at it (RFC 7401 5.4, RFC 7402 5.4.1).
import type { IpAddress } from '#sa';
import { addressBytes, isIpv6 } from '#sa';
import { encodeIcmpv4, encodeIcmpv6, icmpv4QuoteLengthMax, icmpv6QuoteLengthMax } from '#wire';

/** Of an SPI; of a HIT or a version it is enough to see what is meant. */
const fieldBytes = 4;
/** RFC 792 has one octet for it. */
const icmpv4PointerMax = 255;

/**
 * The ICMP message about a packet of ours to refuse. `packet` begins with its IP header; `pointer` counts from
 * there, to a field of four octets or more. Only as much is quoted as `messageBytesMax` allows: `undefined` if the field
 * would not be in the quote, or beyond what ICMPv4 can point at.
 */
export function parameterProblem(
  packet: Uint8Array,
  pointer: number,
  ends: { readonly from: IpAddress; readonly to: IpAddress },
  messageBytesMax: number,
): Uint8Array | undefined {
  const six = isIpv6(ends.from);
  const room = Math.min(messageBytesMax - 8, six ? icmpv6QuoteLengthMax : icmpv4QuoteLengthMax);
  const quoted = packet.subarray(0, Math.max(0, room));
  if (quoted.length < pointer + fieldBytes || (!six && pointer > icmpv4PointerMax)) return undefined;
  const message = { kind: 'parameter-problem', code: 0, pointer, quoted } as const;
  if (!six) return encodeIcmpv4(message);
  return encodeIcmpv6(message, { source: addressBytes(ends.from), destination: addressBytes(ends.to) });
}
