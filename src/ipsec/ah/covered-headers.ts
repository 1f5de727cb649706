// The headers as the ICV of AH covers them (RFC 4302 3.3.3 and appendix A): what routers may change is zero, what they
// will change is as the destination sees it.
import { IpProtocol, readU16 } from '#wire';
import { ahFixedBytes } from './layout.ts';

/** Longer chains of headers before AH are refused. */
const headerBytesMax = 2048;

/** RFC 4302 A1: the types of the IPv4 options that nobody changes. All others count as zeros. */
const immutableIpv4Options: ReadonlySet<number> = new Set([130, 133, 134, 148, 149]);
const looseSourceRoute = 131;
const strictSourceRoute = 137;

/** RFC 8200 4.2: the third-highest bit of an option's type. */
const optionMayChange = 0x20;

/** Room for one packet's headers, used again and again. */
export class CoveredHeaders {
  readonly #octets = new Uint8Array(headerBytesMax);
  #length = 0;

  /** What was covered last. */
  get octets(): Uint8Array {
    return this.#octets.subarray(0, this.#length);
  }

  /**
   * Takes the headers from `start` to the end of the Authentication Header at `ahAt`.
   * @returns false if they hold something that no ICV can be computed over
   */
  cover(octets: Uint8Array, start: number, ahAt: number, headerBytes: number, icvBytes: number): boolean {
    const length = ahAt + headerBytes - start;
    if (length > headerBytesMax) return false;
    this.#length = length;
    this.#octets.set(octets.subarray(start, ahAt + headerBytes));
    const ah = ahAt - start;
    // The padding behind the ICV stays as it is (RFC 4302 3.3.3.2.1).
    this.#octets.fill(0, ah + ahFixedBytes, ah + ahFixedBytes + icvBytes);
    return this.#octets[0]! >>> 4 === 4 ? this.#coverIpv4(ah) : this.#coverIpv6(ah);
  }

  #coverIpv4(end: number): boolean {
    const octets = this.#octets;
    // DSCP and ECN; flags and fragment offset; time to live; header checksum.
    octets[1] = 0;
    octets.fill(0, 6, 9);
    octets.fill(0, 10, 12);
    for (let at = 20; at < end; ) {
      const type = octets[at]!;
      if (type === 0) return true;
      if (type === 1) {
        at++;
        continue;
      }
      const length = at + 1 < end ? octets[at + 1]! : 0;
      if (length < 2 || at + length > end) return false;
      if (type === looseSourceRoute || type === strictSourceRoute) {
        // RFC 4302 3.3.3.1.1.1: the destination changes on the way, and its last value is known.
        const routed = length >= 7 && octets[at + 2]! < length;
        if (routed) octets.copyWithin(16, at + length - 4, at + length);
      }
      if (!immutableIpv4Options.has(type)) octets.fill(0, at, at + length);
      at += length;
    }
    return true;
  }

  #coverIpv6(end: number): boolean {
    const octets = this.#octets;
    // Traffic class and flow label; hop limit.
    octets[0] = 0x60;
    octets.fill(0, 1, 4);
    octets[7] = 0;
    let header = octets[6]!;
    for (let at = 40; at < end; ) {
      const next = at + (octets[at + 1]! + 1) * 8;
      const covered =
        header === IpProtocol.ROUTING
          ? this.#coverRoute(at, next)
          : (header === IpProtocol.HOP_BY_HOP || header === IpProtocol.DESTINATION_OPTIONS) &&
            this.#coverOptions(at + 2, next);
      if (!covered) return false;
      header = octets[at]!;
      at = next;
    }
    return true;
  }

  #coverOptions(from: number, end: number): boolean {
    const octets = this.#octets;
    for (let at = from; at < end; ) {
      const type = octets[at]!;
      if (type === 0) {
        at++;
        continue;
      }
      const dataAt = at + 2;
      const dataEnd = dataAt + (at + 1 < end ? octets[at + 1]! : end);
      if (dataEnd > end) return false;
      if ((type & optionMayChange) !== 0) octets.fill(0, dataAt, dataEnd);
      at = dataEnd;
    }
    return true;
  }

  /** RFC 4302 A2: addresses in a routing header move in step with the destination, which can be foreseen. */
  #coverRoute(at: number, end: number): boolean {
    const octets = this.#octets;
    const left = octets[at + 3]!;
    if (left === 0) return true;
    // Type 2 of Mobile IPv6 (RFC 6275 6.4) has one address and moves like type 0 (RFC 2460 4.4).
    const type = octets[at + 2]!;
    const addresses = (end - at - 8) / 16;
    if ((type !== 0 && type !== 2) || !Number.isInteger(addresses) || left > addresses) return false;
    for (let next = addresses - left; next < addresses; next++) {
      const address = at + 8 + 16 * next;
      for (let i = 0; i < 16; i += 2) {
        const destination = readU16(octets, 24 + i);
        octets.copyWithin(24 + i, address + i, address + i + 2);
        octets[address + i] = destination >>> 8;
        octets[address + i + 1] = destination;
      }
    }
    octets[at + 3] = 0;
    return true;
  }
}
