// Security Parameters Indexes of ESP and AH.

/** An ESP or AH SPI: an unsigned 32-bit number. 0 is local, 1-255 are reserved by IANA (RFC 4303 2.1). */
export type Spi = number & { readonly spi: unique symbol };

/** The smallest SPI that may be negotiated. */
export const firstSpi = 256;

/** RFC 4303 2.1: whether an SPI can name an SA at all. */
export function isNegotiableSpi(value: number): value is Spi {
  return Number.isInteger(value) && value >= firstSpi && value <= 0xffff_ffff;
}

/** Eight hexadecimal digits, as operators know SPIs from `ip xfrm` and swanctl. */
export function formatSpi(spi: number): string {
  return spi.toString(16).padStart(8, '0');
}

/** Four octets, as on the wire. */
export function spiBytes(spi: number): Uint8Array {
  return Uint8Array.of(spi >>> 24, spi >>> 16, spi >>> 8, spi);
}

/** Reads four octets; anything else is no ESP or AH SPI and gives `undefined`. */
export function spiFromBytes(bytes: Uint8Array): Spi | undefined {
  if (bytes.length !== 4) return undefined;
  const value = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  return isNegotiableSpi(value) ? value : undefined;
}
