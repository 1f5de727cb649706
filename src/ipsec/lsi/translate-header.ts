// An IPv4 packet between LSIs becomes an IPv6 packet between HITs, and back, in place: headers as RFC 7915 4 and 5 have it.
import {
  finishChecksum,
  IpProtocol,
  readU16,
  sumPseudoHeader,
  sumWords,
  writeIpv4Checksum,
  writeU16,
} from '#wire';

const ipv4HeaderBytes = 20;
const ipv6HeaderBytes = 40;
const dontFragment = 0x4000;
/** More fragments, and the offset. */
const fragmentBits = 0x3fff;

const echoTypes = { 4: { reply: 0, request: 8 }, 6: { reply: 129, request: 128 } } as const;

/** No such packet: what is between HITs carries TCP, UDP and ICMP echo, unfragmented. */
export const untranslatable = -1;

/**
 * Needs 20 free octets before the packet. `source` and `destination` are HITs of 16 octets.
 * @returns where the IPv6 packet begins, or `untranslatable` with the octets as they were; it ends where the IPv4 packet did
 */
export function ipv4ToIpv6(
  buffer: Uint8Array,
  start: number,
  length: number,
  source: Uint8Array,
  destination: Uint8Array,
): number {
  if (length < ipv4HeaderBytes || buffer[start]! >>> 4 !== 4) return untranslatable;
  const headerBytes = (buffer[start]! & 0x0f) * 4;
  if (headerBytes < ipv4HeaderBytes || readU16(buffer, start + 2) !== length || headerBytes > length)
    return untranslatable;
  if ((readU16(buffer, start + 6) & fragmentBits) !== 0) return untranslatable;
  const payload = start + headerBytes;
  const payloadBytes = length - headerBytes;
  const at = payload - ipv6HeaderBytes;
  const protocol = buffer[start + 9]!;
  if (at < 0 || !hasTransport(buffer, payload, payloadBytes, protocol, 4)) return untranslatable;
  const [trafficClass, hopLimit] = [buffer[start + 1]!, buffer[start + 8]!];
  const before = sumWords(buffer, start + 12, start + 20);
  buffer[at] = 0x60 | (trafficClass >>> 4);
  buffer[at + 1] = (trafficClass & 0x0f) << 4;
  writeU16(buffer, at + 2, 0);
  writeU16(buffer, at + 4, payloadBytes);
  buffer[at + 6] = protocol === IpProtocol.ICMP ? IpProtocol.ICMPV6 : protocol;
  buffer[at + 7] = hopLimit;
  buffer.set(source, at + 8);
  buffer.set(destination, at + 24);
  const after = sumWords(buffer, at + 8, at + 40);
  if (protocol === IpProtocol.ICMP) {
    translateEcho(buffer, payload, 4, 6, 0, after + IpProtocol.ICMPV6 + payloadBytes);
  } else if (protocol === IpProtocol.UDP && readU16(buffer, payload + 6) === 0) {
    // RFC 7915 4.5: IPv6 has no UDP without a checksum.
    const sum = sumPseudoHeader(buffer, at + 8, at + 24, 16, IpProtocol.UDP, payloadBytes);
    writeUdpChecksum(buffer, payload, finishChecksum(sumWords(buffer, payload, payload + payloadBytes, sum)));
  } else replaceAddresses(buffer, payload, protocol, before, after);
  return at;
}

/**
 * @param source LSI of 4 octets, as `destination`
 * @param identification of the IPv4 header: counted up, so that segments of a stream can be joined again
 * @returns where the IPv4 packet begins, or `untranslatable` with the octets as they were; it ends where the IPv6 packet did
 */
export function ipv6ToIpv4(
  buffer: Uint8Array,
  start: number,
  length: number,
  {
    source,
    destination,
    identification,
  }: { readonly source: Uint8Array; readonly destination: Uint8Array; readonly identification: number },
): number {
  if (length < ipv6HeaderBytes || buffer[start]! >>> 4 !== 6) return untranslatable;
  const payload = start + ipv6HeaderBytes;
  const payloadBytes = length - ipv6HeaderBytes;
  const next = buffer[start + 6]!;
  if (readU16(buffer, start + 4) !== payloadBytes || payloadBytes + ipv4HeaderBytes > 0xffff)
    return untranslatable;
  const protocol = next === IpProtocol.ICMPV6 ? IpProtocol.ICMP : next;
  if (next === IpProtocol.ICMP || !hasTransport(buffer, payload, payloadBytes, protocol, 6))
    return untranslatable;
  const trafficClass = ((buffer[start]! & 0x0f) << 4) | (buffer[start + 1]! >>> 4);
  const hopLimit = buffer[start + 7]!;
  const before = sumWords(buffer, start + 8, start + 40);
  const at = payload - ipv4HeaderBytes;
  buffer[at] = 0x45;
  buffer[at + 1] = trafficClass;
  writeU16(buffer, at + 2, ipv4HeaderBytes + payloadBytes);
  writeU16(buffer, at + 4, identification);
  writeU16(buffer, at + 6, dontFragment);
  buffer[at + 8] = hopLimit;
  buffer[at + 9] = protocol;
  buffer.set(source, at + 12);
  buffer.set(destination, at + 16);
  writeIpv4Checksum(buffer, at, ipv4HeaderBytes);
  if (protocol === IpProtocol.ICMP) {
    translateEcho(buffer, payload, 6, 4, before + IpProtocol.ICMPV6 + payloadBytes, 0);
  } else replaceAddresses(buffer, payload, protocol, before, sumWords(buffer, at + 12, at + 20));
  return at;
}

/** Whether a header is there that we can translate. @param protocol as IPv4 has it */
function hasTransport(
  buffer: Uint8Array,
  at: number,
  bytes: number,
  protocol: number,
  version: 4 | 6,
): boolean {
  switch (protocol) {
    case IpProtocol.TCP:
      return bytes >= 20;
    case IpProtocol.UDP:
      return bytes >= 8;
    case IpProtocol.ICMP: {
      const { reply, request } = echoTypes[version];
      return bytes >= 8 && (buffer[at] === reply || buffer[at] === request);
    }
    default:
      return false;
  }
}

/** The checksum after words that sum up to `before` gave way to others (RFC 1624 3). */
function changed(checksum: number, before: number, after: number): number {
  return finishChecksum((~checksum & 0xffff) + finishChecksum(before) + after);
}

function replaceAddresses(
  buffer: Uint8Array,
  at: number,
  protocol: number,
  before: number,
  after: number,
): void {
  if (protocol === IpProtocol.UDP) {
    writeUdpChecksum(buffer, at, changed(readU16(buffer, at + 6), before, after));
  } else writeU16(buffer, at + 16, changed(readU16(buffer, at + 16), before, after));
}

/** RFC 768: 0 would say that there is none. */
function writeUdpChecksum(buffer: Uint8Array, at: number, checksum: number): void {
  writeU16(buffer, at + 6, checksum === 0 ? 0xffff : checksum);
}

/** ICMPv6 has a pseudo header under its checksum, ICMP has none (RFC 4443 2.3). */
function translateEcho(
  buffer: Uint8Array,
  at: number,
  from: 4 | 6,
  to: 4 | 6,
  pseudoBefore: number,
  pseudoAfter: number,
): void {
  const before = readU16(buffer, at);
  buffer[at] = buffer[at] === echoTypes[from].request ? echoTypes[to].request : echoTypes[to].reply;
  const checksum = changed(readU16(buffer, at + 2), before + pseudoBefore, readU16(buffer, at) + pseudoAfter);
  writeU16(buffer, at + 2, checksum);
}
