// Which packets can be answered at all, whoever sent them: addresses, ports, lengths and SPI ranges.
import { type Endpoint, isLoopback, isNegotiableSpi, isUnicast, type UnknownSpiEvidence } from '#sa';

/** Why nobody could be answered. Each is a reason of `ignore(not-answerable)`. */
export type NotAnswerable =
  /** A sniffer also sees packets that only pass through. */
  | 'destination-not-ours'
  /** Multicast, broadcast, unspecified, or a loopback address from outside. */
  | 'source-not-unicast'
  | 'source-is-destination'
  | 'no-source-port'
  | 'fragment'
  | 'reserved-spi'
  | 'bad-length';

/** Why a packet between these two ends can have no answer. Ports are 0 where the packet has none. */
export function unanswerableAddresses(
  source: Endpoint,
  destination: Endpoint,
  packet: { readonly udp: boolean; readonly destinationIsOurs: boolean },
): NotAnswerable | undefined {
  if (!packet.destinationIsOurs || !isUnicast(destination.address)) return 'destination-not-ours';
  if (!isUnicast(source.address)) return 'source-not-unicast';
  if (isLoopback(source.address) !== isLoopback(destination.address)) return 'source-not-unicast';
  // An answer to ourselves would be the next thing to answer.
  if (source.address === destination.address && (!packet.udp || source.port === destination.port)) {
    return 'source-is-destination';
  }
  return packet.udp && source.port === 0 ? 'no-source-port' : undefined;
}

/** SPI, sequence number, and the least that RFC 4303 2 and 8221 leave of trailer and ICV. */
const espBytesMin = 8 + 4 + 8;
/** RFC 4302 2: the fixed part and the shortest ICV in use. */
const ahBytesMin = 12 + 12;

/** Why the packet that left this evidence can have no answer. */
export function unanswerableEvidence(
  evidence: UnknownSpiEvidence,
  destinationIsOurs: boolean,
): NotAnswerable | undefined {
  const { protocol, source, destination, encapsulated, lengthBytes } = evidence;
  if (evidence.nonFirstFragment === true) return 'fragment';
  if (!isNegotiableSpi(evidence.spi)) return 'reserved-spi';
  // RFC 4303 2.4: ESP is padded to a multiple of four octets.
  const wellFormed =
    protocol === 'esp' ? lengthBytes >= espBytesMin && lengthBytes % 4 === 0 : lengthBytes >= ahBytesMin;
  if (!wellFormed) return 'bad-length';
  return unanswerableAddresses(source, destination, { udp: encapsulated, destinationIsOurs });
}
