// What an ICMP error on the virtual network quotes, as a host's error queue would tell it.
import type { EngineInput } from '#engine';
import { addressBytes, addressFromBytes, isIpv6 } from '#sa';
import { decodeIcmpv4, decodeIcmpv6, IpProtocol, readU32, unlessMalformed } from '#wire';
import type { Datagram } from './datagram.ts';

export type QuotedPacket = Extract<EngineInput, { readonly kind: 'icmp-error' }>['quote'];

const ipv6HeaderBytes = 40;

/** Of ESP right in IP, which is all that hosts of the lab answer by ICMP; `undefined` for anything else. */
export function quoteOfIcmp(datagram: Datagram): QuotedPacket | undefined {
  const quoted = quotedByProblem(datagram);
  const ipv6 = isIpv6(datagram.source.address);
  const headerBytes = ipv6 ? ipv6HeaderBytes : ((quoted?.[0] ?? 0) & 0x0f) * 4;
  if (quoted === undefined || quoted.length < headerBytes + 8) return undefined;
  if (quoted[ipv6 ? 6 : 9] !== IpProtocol.ESP) return undefined;
  const [source, destination, end] = ipv6 ? [8, 24, 40] : [12, 16, 20];
  return {
    source: addressFromBytes(quoted.slice(source, destination)),
    destination: addressFromBytes(quoted.slice(destination, end)),
    spi: readU32(quoted, headerBytes),
    sequence: readU32(quoted, headerBytes + 4),
  };
}

function quotedByProblem({ octets, source, destination }: Datagram): Uint8Array | undefined {
  const ends = { source: addressBytes(source.address), destination: addressBytes(destination.address) };
  const message = unlessMalformed(() =>
    isIpv6(source.address) ? decodeIcmpv6(octets, ends) : decodeIcmpv4(octets),
  );
  return message?.kind === 'parameter-problem' ? message.quoted : undefined;
}
