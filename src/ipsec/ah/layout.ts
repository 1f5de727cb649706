// Lengths of the Authentication Header (RFC 4302 2): ICV and padding by address family.

/** Next header, length, reserved, SPI and sequence number. */
export const ahFixedBytes = 12;

/** The longest header there is: HMAC-SHA2-512-256 within IPv6. */
export const ahBytesMax = 48;

/** RFC 4302 2.6: whole units of 4 octets within IPv4, of 8 within IPv6. */
export function ahBytes(icvBytes: number, family: 4 | 6): number {
  const unit = family === 4 ? 4 : 8;
  return Math.ceil((ahFixedBytes + icvBytes) / unit) * unit;
}

/**
 * Whether a received header has the length that its ICV asks for. Within IPv4, also whole units of 8 octets: Linux pads
 * so unless told otherwise, and the ICV covers the padding.
 */
export function isAhLength(headerBytes: number, icvBytes: number, family: 4 | 6): boolean {
  return headerBytes === ahBytes(icvBytes, family) || headerBytes === ahBytes(icvBytes, 6);
}
