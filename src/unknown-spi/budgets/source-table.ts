// What each prefix has earned and used, in a table whose size never changes.
import type { IpAddress } from '#sa';
import type { ReplyRate } from '../verdict/policy.ts';
import { prefixNumber } from './prefix.ts';
import { RateBucket } from './rate.ts';

/** More than this is not saved up: a reply always follows on a packet, and is as small. */
export const creditBytesMax = 16_384;

export interface SourceCell {
  prefix: bigint | undefined;
  /** IP octets received claiming this prefix, less those sent to it: never negative. */
  creditBytes: number;
  readonly bucket: RateBucket;
}

/**
 * Cells are found by a salted hash. Two prefixes that meet in one cell take turns: the newcomer begins without credit,
 * and the rate is shared, so that neither a flood of forged sources nor luck ever earns anybody more.
 */
export class SourceTable {
  readonly #cells: SourceCell[];
  readonly #salt: number;

  constructor(size: number, salt: number, rate: ReplyRate, at: number) {
    this.#salt = salt >>> 0;
    this.#cells = Array.from({ length: size }, () => ({
      prefix: undefined,
      creditBytes: 0,
      bucket: new RateBucket(rate, at),
    }));
  }

  get size(): number {
    return this.#cells.length;
  }

  cellOf(address: IpAddress): SourceCell {
    const prefix = prefixNumber(address);
    const cell = this.#cells[this.#hash(prefix) % this.#cells.length]!;
    if (cell.prefix !== prefix) {
      cell.prefix = prefix;
      cell.creditBytes = 0;
    }
    return cell;
  }

  /** Mixes as MurmurHash3 finishes. A collision costs politeness, not safety. */
  #hash(prefix: bigint): number {
    let hash = this.#salt;
    for (const word of [Number(prefix & 0xffff_ffffn), Number((prefix >> 32n) & 0xffff_ffffn)]) {
      hash = Math.imul(hash ^ word, 0x85eb_ca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
      hash ^= hash >>> 16;
    }
    return hash >>> 0;
  }
}
