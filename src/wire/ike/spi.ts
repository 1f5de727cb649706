// IKE SPIs between their eight octets and their hexadecimal form.
import { WireError } from '../error.ts';
import type { IkeSpi } from './payloads.ts';

const hexOfOctet: readonly string[] = Array.from({ length: 256 }, (_, octet) =>
  octet.toString(16).padStart(2, '0'),
);

/** The SPI held by eight octets; `WireError('length')` for any other number of them. */
export function ikeSpiFromBytes(octets: Uint8Array): IkeSpi {
  if (octets.length !== 8) throw new WireError('length', 0, 'IKE SPI', `${octets.length} octets`);
  let hex = '';
  for (let at = 0; at < 8; at++) hex += hexOfOctet[octets[at]!]!;
  return hex as IkeSpi;
}

/** The eight octets of an SPI. */
export function ikeSpiBytes(spi: IkeSpi): Uint8Array {
  if (spi.length !== 16) throw new WireError('value', 0, 'IKE SPI');
  const octets = new Uint8Array(8);
  for (let at = 0; at < 8; at++) octets[at] = digitAt(spi, 2 * at) * 16 + digitAt(spi, 2 * at + 1);
  return octets;
}

/** A hexadecimal digit in lower case. */
function digitAt(spi: IkeSpi, at: number): number {
  const code = spi.charCodeAt(at);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  throw new WireError('value', 0, 'IKE SPI');
}
