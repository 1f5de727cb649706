// What the data path looks at in an IP packet: its selectors, and the header fields that tunnels copy or change.
import {
  FragmentPosition,
  IpProtocol,
  opaque,
  type PacketSelectors,
  PacketVerdict,
  readPacketSelectors,
  readU16,
} from '#wire';

/** One reusable record; `read` fills it without allocation. Offsets count from octet 0 of the buffer. */
export class PacketFields implements PacketSelectors {
  version = 4;
  protocol = 0;
  sourceOffset = 0;
  destinationOffset = 0;
  addressLength = 0;
  sourcePort = 0;
  destinationPort = 0;
  fragment: PacketSelectors['fragment'] = FragmentPosition.whole;
  payloadOffset = 0;
  end = 0;
  start = 0;
  trafficClass = 0;
  hopLimit = 0;
  /** Always true of IPv6, which routers never fragment (RFC 8200 5). */
  dontFragment = false;

  /** False if the octets are no IP packet whose lengths fit. What lies behind its own length is left out. */
  read(octets: Uint8Array, start: number, length: number): boolean {
    if (readPacketSelectors(octets, start, start + length, this) !== PacketVerdict.ok) return false;
    this.start = start;
    if (this.version === 4) {
      this.trafficClass = octets[start + 1]!;
      this.hopLimit = octets[start + 8]!;
      this.dontFragment = (octets[start + 6]! & 0x40) !== 0;
    } else {
      this.trafficClass = (readU16(octets, start) >>> 4) & 0xff;
      this.hopLimit = octets[start + 7]!;
      this.dontFragment = true;
    }
    return true;
  }

  /** Of the packet by its own account. */
  get lengthBytes(): number {
    return this.end - this.start;
  }

  /** RFC 4301 4.4.1: a fragment that hides its ports. */
  get portsOpaque(): boolean {
    return this.sourcePort === opaque;
  }

  /** Whether there are IPv4 options or IPv6 headers that routers on the way must see. */
  hasHeadersForRouters(octets: Uint8Array): boolean {
    if (this.version === 4) return this.payloadOffset > this.start + 20;
    const first = octets[this.start + 6]!;
    if (first === this.protocol) return false;
    return first !== IpProtocol.DESTINATION_OPTIONS || octets[this.start + 40] !== this.protocol;
  }
}
