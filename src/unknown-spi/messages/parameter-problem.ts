// HIP's way to say that an SPI is unknown: an ICMP Parameter Problem that points at it (RFC 7402 5.4.1).
import type { IpAddress } from '#sa';
import { addressBytes, isIpv6 } from '#sa';
import { encodeIcmpv4, encodeIcmpv6, icmpv4QuoteLengthMax, icmpv6QuoteLengthMax } from '#wire';

/**
 * The ICMP message about a packet of ours to refuse. `packet` begins with its IP header; `spiOffsetBytes` counts from
 * there. Only as much is quoted as `messageBytesMax`, the credit of the destination, allows: `undefined` if the SPI itself
 * would not be in the quote.
 */
export function spiParameterProblem(
  packet: Uint8Array,
  spiOffsetBytes: number,
  ends: { readonly from: IpAddress; readonly to: IpAddress },
  messageBytesMax: number,
): Uint8Array | undefined {
  const six = isIpv6(ends.from);
  const room = Math.min(messageBytesMax - 8, six ? icmpv6QuoteLengthMax : icmpv4QuoteLengthMax);
  const quoted = packet.subarray(0, Math.max(0, room));
  if (quoted.length < spiOffsetBytes + 4) return undefined;
  const message = { kind: 'parameter-problem', code: 0, pointer: spiOffsetBytes, quoted } as const;
  if (!six) return encodeIcmpv4(message);
  return encodeIcmpv6(message, { source: addressBytes(ends.from), destination: addressBytes(ends.to) });
}
