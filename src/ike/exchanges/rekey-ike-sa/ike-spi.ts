// The SPI of a new IKE SA in a proposal (RFC 7296 3.3.1).
import { type IkeSpi, ikeSpiFromBytes, zeroIkeSpi } from '#wire';

/** `undefined` if the octets can name no IKE SA. */
export function proposedIkeSpi(octets: Uint8Array): IkeSpi | undefined {
  if (octets.length !== 8) return undefined;
  const spi = ikeSpiFromBytes(octets);
  return spi === zeroIkeSpi ? undefined : spi;
}
