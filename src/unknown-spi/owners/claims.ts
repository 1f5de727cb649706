// What a keying daemon claims of the SPI space: whole blocks ahead of need, and single SPIs outside of them.
import { isNegotiableSpi } from '#sa';
import type { IkeSpi } from '#wire';

/** The SPI space is leased in blocks of one first octet: 2^24 ESP and AH SPIs, and the IKE SPIs that begin with it. */
export const spiBlocks = 256;

/** Blocks by their first octet, and ESP or AH SPIs. Sorted, and nothing twice. */
export interface SpiClaims {
  readonly blocks: readonly number[];
  readonly spis: readonly number[];
}

export const noClaims: SpiClaims = { blocks: [], spis: [] };

export function blockOf(spi: number): number {
  return spi >>> 24;
}

export function blockOfIkeSpi(spi: IkeSpi): number {
  return Number.parseInt(spi.slice(0, 2), 16);
}

export function claimsOf(blocks: Iterable<number>, spis: Iterable<number>): SpiClaims {
  const sorted = (numbers: Iterable<number>): number[] => [...new Set(numbers)].sort((a, b) => a - b);
  return { blocks: sorted(blocks), spis: sorted(spis) };
}

/** Whether this is a block, whatever a stranger made it of. */
export function isBlock(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < spiBlocks;
}

export function isClaimableSpi(value: unknown): value is number {
  return typeof value === 'number' && isNegotiableSpi(value);
}
