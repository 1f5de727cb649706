// Where the Authentication Header stands among the headers of an IP packet (RFC 4302 3.1), read in place.
import { extensionHeaderLimit, IpProtocol, readU16 } from '#wire';

/** One reusable record; offsets count from octet 0 of the buffer. */
export class HeaderPosition {
  /** First octet of the header looked for, or of the place where it belongs. */
  at = 0;
  /** The octet that says what stands there: IPv4's protocol field or the Next Header before it. */
  announcedAt = 0;
  family: 4 | 6 = 4;
  /** End of the packet by its own account. */
  end = 0;

  /** Finds the Authentication Header of a packet that is no fragment. False if it has none or contradicts itself. */
  find(octets: Uint8Array, start: number, length: number): boolean {
    if (!this.#begin(octets, start, length)) return false;
    if (this.family === 4) {
      const fragmented = (readU16(octets, start + 6) & 0x3fff) !== 0;
      return !fragmented && octets[this.announcedAt] === IpProtocol.AH && this.at <= this.end;
    }
    for (let count = 0; count <= extensionHeaderLimit; count++) {
      const header = octets[this.announcedAt]!;
      if (header === IpProtocol.AH) return true;
      const precedes =
        header === IpProtocol.HOP_BY_HOP ||
        header === IpProtocol.ROUTING ||
        header === IpProtocol.DESTINATION_OPTIONS;
      if (!precedes || !this.#skip(octets)) return false;
    }
    return false;
  }

  /**
   * Finds the place for the header of transport mode: behind what routers look at, before what only the destination
   * does (RFC 4302 3.1.1). False if the packet contradicts itself.
   */
  findPlace(octets: Uint8Array, start: number, length: number): boolean {
    if (!this.#begin(octets, start, length)) return false;
    if (this.family === 4) return this.at <= this.end;
    for (let count = 0; count <= extensionHeaderLimit; count++) {
      const header = octets[this.announcedAt]!;
      // RFC 8200 4.1: destination options before a routing header are for the nodes it names.
      const beforeRouting =
        header === IpProtocol.DESTINATION_OPTIONS && octets[this.at] === IpProtocol.ROUTING;
      if (header !== IpProtocol.HOP_BY_HOP && header !== IpProtocol.ROUTING && !beforeRouting) return true;
      if (!this.#skip(octets)) return false;
    }
    return false;
  }

  #begin(octets: Uint8Array, start: number, length: number): boolean {
    if (length < 20) return false;
    const version = octets[start]! >>> 4;
    if (version === 4) {
      this.family = 4;
      this.at = start + (octets[start]! & 0x0f) * 4;
      this.announcedAt = start + 9;
      this.end = start + readU16(octets, start + 2);
      return this.at >= start + 20 && this.end <= start + length;
    }
    if (version !== 6 || length < 40) return false;
    this.family = 6;
    this.at = start + 40;
    this.announcedAt = start + 6;
    this.end = this.at + readU16(octets, start + 4);
    return this.end <= start + length;
  }

  #skip(octets: Uint8Array): boolean {
    if (this.at + 8 > this.end) return false;
    this.announcedAt = this.at;
    this.at += (octets[this.at + 1]! + 1) * 8;
    return this.at <= this.end;
  }
}
