// Changes to IP headers in place, with the IPv4 checksum kept right.
import { readU16, updateChecksum, writeU16 } from '#wire';

function replaceIpv4Word(octets: Uint8Array, header: number, at: number, value: number): void {
  writeU16(octets, header + 10, updateChecksum(readU16(octets, header + 10), readU16(octets, at), value));
  writeU16(octets, at, value);
}

export function setTrafficClass(octets: Uint8Array, header: number, trafficClass: number): void {
  if (octets[header]! >>> 4 === 4) {
    replaceIpv4Word(octets, header, header, (octets[header]! << 8) | trafficClass);
    return;
  }
  octets[header] = (octets[header]! & 0xf0) | (trafficClass >>> 4);
  octets[header + 1] = ((trafficClass & 0x0f) << 4) | (octets[header + 1]! & 0x0f);
}

/** The caller has made sure that the hop limit is not 0. */
export function decrementHopLimit(octets: Uint8Array, header: number): void {
  if (octets[header]! >>> 4 === 4) {
    replaceIpv4Word(octets, header, header + 8, readU16(octets, header + 8) - 0x100);
    return;
  }
  octets[header + 7] = octets[header + 7]! - 1;
}
