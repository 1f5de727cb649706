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
  if (!/^[0-9a-f]{16}$/.test(spi)) throw new WireError('value', 0, 'IKE SPI');
  const octets = new Uint8Array(8);
  for (let at = 0; at < 8; at++) octets[at] = Number.parseInt(spi.slice(2 * at, 2 * at + 2), 16);
  return octets;
}
