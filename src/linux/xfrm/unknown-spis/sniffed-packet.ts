// What a packet socket shows of an ESP or AH packet, as evidence of an unknown SPI.
import { addressFromBytes, type IpAddress, type UnknownSpiEvidence } from '#sa';
import { IpProtocol, readU16, readU32 } from '#wire';

type Evidence = Omit<UnknownSpiEvidence, 'count' | 'mergedBytes'>;

interface Payload {
  readonly protocol: number;
  readonly start: number;
  /** Of what was captured: a header may claim more than came, and answers are paid with it. */
  readonly lengthBytes: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly flowLabel?: number;
}

const ipv6HeaderBytes = 40;
const udpHeaderBytes = 8;

/**
 * @param octets from the IP header on, perhaps cut
 * @returns undefined for everything that is no ESP or AH, or too short to tell
 */
export function evidenceOf(octets: Uint8Array, natTraversalPort: number): Evidence | undefined {
  const payload = (octets[0] ?? 0) >>> 4 === 6 ? ipv6Payload(octets) : ipv4Payload(octets);
  if (payload === undefined) return undefined;
  const { protocol, start, lengthBytes, source, destination, flowLabel } = payload;
  const end = start + lengthBytes;
  const ends = (sourcePort: number, destinationPort: number): Pick<Evidence, 'source' | 'destination'> => ({
    source: { address: source, port: sourcePort },
    destination: { address: destination, port: destinationPort },
  });
  const flow = flowLabel === undefined ? {} : { flowLabel };
  switch (protocol) {
    case IpProtocol.ESP:
      if (start + 8 > end) return undefined;
      return {
        ...{ protocol: 'esp', encapsulated: false, ...ends(0, 0), ...flow, lengthBytes },
        ...{ spi: readU32(octets, start), sequence: readU32(octets, start + 4) },
      };
    case IpProtocol.AH:
      if (start + 12 > end) return undefined;
      return {
        ...{ protocol: 'ah', encapsulated: false, ...ends(0, 0), ...flow, lengthBytes },
        ...{ spi: readU32(octets, start + 4), sequence: readU32(octets, start + 8) },
      };
    case IpProtocol.UDP: {
      const esp = start + udpHeaderBytes;
      if (esp + 8 > end || readU16(octets, start + 2) !== natTraversalPort) return undefined;
      // RFC 3948 2.2: it is IKE.
      if (readU32(octets, esp) === 0) return undefined;
      return {
        ...{ protocol: 'esp', encapsulated: true, ...flow },
        ...ends(readU16(octets, start), readU16(octets, start + 2)),
        lengthBytes: lengthBytes - udpHeaderBytes,
        ...{ spi: readU32(octets, esp), sequence: readU32(octets, esp + 4) },
      };
    }
    default:
      return undefined;
  }
}

function ipv4Payload(octets: Uint8Array): Payload | undefined {
  const start = (octets[0]! & 0x0f) * 4;
  if (octets.length < 20 || start < 20 || octets[0]! >>> 4 !== 4) return undefined;
  // A later fragment begins with anything.
  if ((readU16(octets, 6) & 0x1fff) !== 0) return undefined;
  return {
    protocol: octets[9]!,
    start,
    lengthBytes: Math.max(0, Math.min(readU16(octets, 2), octets.length) - start),
    source: addressFromBytes(octets.slice(12, 16)),
    destination: addressFromBytes(octets.slice(16, 20)),
  };
}

function ipv6Payload(octets: Uint8Array): Payload | undefined {
  if (octets.length < ipv6HeaderBytes) return undefined;
  return {
    protocol: octets[6]!,
    start: ipv6HeaderBytes,
    lengthBytes: Math.min(readU16(octets, 4), octets.length - ipv6HeaderBytes),
    source: addressFromBytes(octets.slice(8, 24)),
    destination: addressFromBytes(octets.slice(24, 40)),
    flowLabel: readU32(octets, 0) & 0xf_ffff,
  };
}
