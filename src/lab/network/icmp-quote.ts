// What an ICMP error on the virtual network quotes, as a host's error queue would tell it.
import type { EngineInput } from '#engine';
import { addressFromBytes } from '#sa';
import { decodeIcmpv4, IpProtocol, readU32, WireError } from '#wire';
import type { Datagram } from './datagram.ts';

export type QuotedPacket = Extract<EngineInput, { readonly kind: 'icmp-error' }>['quote'];

/** Of ESP right in IPv4, which is all that hosts of the lab answer by ICMP; `undefined` for anything else. */
export function quoteOfIcmp({ octets }: Datagram): QuotedPacket | undefined {
  let quoted: Uint8Array;
  try {
    const message = decodeIcmpv4(octets);
    if (message.kind !== 'parameter-problem') return undefined;
    quoted = message.quoted;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
  const headerBytes = ((quoted[0] ?? 0) & 0x0f) * 4;
  if (quoted.length < headerBytes + 8 || quoted[9] !== IpProtocol.ESP) return undefined;
  return {
    source: addressFromBytes(quoted.slice(12, 16)),
    destination: addressFromBytes(quoted.slice(16, 20)),
    spi: readU32(quoted, headerBytes),
    sequence: readU32(quoted, headerBytes + 4),
  };
}
