// The option lists of pcapng blocks (draft-ietf-opsawg-pcapng 3.5).
import { WireError } from '../error.ts';
import type { OrderedView } from './byte-order.ts';

/** Option codes that this room reads or writes. */
export const PcapngOption = {
  END: 0,
  COMMENT: 1,
  INTERFACE_NAME: 2,
  APPLICATION: 4,
  TIMESTAMP_RESOLUTION: 9,
  TIMESTAMP_OFFSET: 14,
} as const;

/**
 * Calls `each` with code, offset and length of every option between `start` and `end` of the block. `blockOffset` is
 * the block's position in the file. Throws `WireError`.
 */
export function forEachOption(
  block: OrderedView,
  start: number,
  end: number,
  blockOffset: number,
  each: (code: number, offset: number, length: number) => void,
): void {
  let at = start;
  // An option list may end with its block instead of an end marker.
  while (at < end) {
    if (at + 4 > end) throw new WireError('length', blockOffset + at, 'pcapng.option');
    const code = block.u16(at);
    const length = block.u16(at + 2);
    if (code === PcapngOption.END) return;
    if (at + 4 + length > end) throw new WireError('length', blockOffset + at + 2, 'pcapng.option.length');
    each(code, at + 4, length);
    at += 4 + padded(length);
  }
}

/** `length` with its padding to 32 bits. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}
