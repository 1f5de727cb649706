// A datagram in one line, as far as it can be read without keys.
import { formatEndpoint } from '#sa';
import { hipPacketTypeName, readU32 } from '#wire';
import type { Datagram } from './network/datagram.ts';

const exchangeNames: Readonly<Record<number, string>> = {
  34: 'IKE_SA_INIT',
  35: 'IKE_AUTH',
  36: 'CREATE_CHILD_SA',
  37: 'INFORMATIONAL',
};

/** The type of a HIP packet (`HipPacketType`); `undefined` for everything else. */
export function hipPacketType({ protocol, octets }: Datagram): number | undefined {
  return protocol === 'hip' && octets.length > 2 ? octets[2]! & 0x7f : undefined;
}

/** The fields of an IKE header that stand in the clear (RFC 7296 3.1). */
export interface PlainIkeHeader {
  /** Both SPIs, hexadecimal. */
  readonly initiatorSpi: string;
  readonly responderSpi: string;
  readonly firstPayload: number;
  readonly exchangeType: number;
  readonly initiator: boolean;
  readonly response: boolean;
  readonly messageId: number;
  /** The message from its header on. */
  readonly octets: Uint8Array;
}

const headerBytes = 28;

/** Several observers ask about the same datagram. */
const headers = new WeakMap<Datagram, PlainIkeHeader | 'none'>();

/** The IKE message in a UDP datagram, with or without non-ESP marker; `undefined` if there is none. */
export function plainIkeHeader(datagram: Datagram): PlainIkeHeader | undefined {
  let header = headers.get(datagram);
  if (header === undefined) {
    header = readPlainIkeHeader(datagram) ?? 'none';
    headers.set(datagram, header);
  }
  return header === 'none' ? undefined : header;
}

function readPlainIkeHeader(datagram: Datagram): PlainIkeHeader | undefined {
  if (datagram.protocol !== 'udp') return undefined;
  const { octets } = datagram;
  const marked = octets.length >= 4 && readU32(octets, 0) === 0;
  const message = marked ? octets.subarray(4) : octets;
  // ESP in UDP looks like IKE only if it happens to have this length field and version.
  if (message.length < headerBytes || message[17] !== 0x20 || readU32(message, 24) !== message.length) {
    return undefined;
  }
  const flags = message[19]!;
  return {
    initiatorSpi: hex(message.subarray(0, 8)),
    responderSpi: hex(message.subarray(8, 16)),
    firstPayload: message[16]!,
    exchangeType: message[18]!,
    initiator: (flags & 0x08) !== 0,
    response: (flags & 0x20) !== 0,
    messageId: readU32(message, 20),
    octets: message,
  };
}

function hex(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
}

export function describeDatagram(datagram: Datagram): string {
  const { octets, source, destination } = datagram;
  const path = `${formatEndpoint(source)} to ${formatEndpoint(destination)}`;
  const ike = plainIkeHeader(datagram);
  if (ike !== undefined) {
    const name = exchangeNames[ike.exchangeType] ?? `exchange ${ike.exchangeType}`;
    const role = ike.response ? 'response' : 'request';
    return `${name} ${role} ${ike.messageId} of ${ike.initiatorSpi.slice(0, 8)}, ${octets.length} octets, ${path}`;
  }
  const hip = hipPacketType(datagram);
  if (hip !== undefined) return `${hipPacketTypeName(hip)}, ${octets.length} octets, ${path}`;
  if (datagram.protocol === 'icmp') return `ICMP type ${octets[0]}, ${octets.length} octets, ${path}`;
  if (datagram.protocol === 'udp' && octets.length === 1 && octets[0] === 0xff) return `keepalive, ${path}`;
  if (octets.length < 8) return `${octets.length} octets, ${path}`;
  const spi = readU32(octets, 0).toString(16).padStart(8, '0');
  return `ESP ${spi} number ${readU32(octets, 4)}, ${octets.length} octets, ${path}`;
}
