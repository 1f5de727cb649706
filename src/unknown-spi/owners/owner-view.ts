// Whose an SPI is, as one daemon of the host sees it: the answer to the second row of the verdicts.
import type { IkeSpi } from '#wire';
import { blockOf, blockOfIkeSpi, type SpiClaims, spiBlocks } from './claims.ts';
import type { SpiOwner } from './owner-table.ts';

/** Everything that a host's engine must know of the other daemons. */
export interface SpiOwnership {
  /** Claims of the others, of crashed ones too while their time runs. */
  readonly others: readonly SpiClaims[];
  /** This daemon answers for what nobody claims. Of several, one does. */
  readonly answersUnclaimed: boolean;
  /** There is a keying daemon whose SPIs cannot be read. */
  readonly unreadable: boolean;
}

/** No registry and no other daemon. */
export const soleOwnership: SpiOwnership = { others: [], answersUnclaimed: true, unreadable: false };

/** What a table means to one of those in it. @param server who serves it, and so answers for what nobody claims */
export function ownershipIn(
  owners: readonly SpiOwner[],
  self: string,
  server: string,
): Omit<SpiOwnership, 'unreadable'> {
  return {
    others: owners.filter(({ name }) => name !== self).map(({ claims }) => claims),
    answersUnclaimed: self === server,
  };
}

export class OwnerView {
  readonly #foreignBlocks = new Uint8Array(spiBlocks);
  readonly #foreignSpis = new Set<number>();
  readonly #ownBlocks = new Uint8Array(spiBlocks);
  readonly #ownSpis: ReadonlySet<number>;
  readonly #ownership: SpiOwnership;

  constructor(ownership: SpiOwnership, own: SpiClaims) {
    this.#ownership = ownership;
    this.#ownSpis = new Set(own.spis);
    for (const block of own.blocks) this.#ownBlocks[block] = 1;
    for (const { blocks, spis } of ownership.others) {
      for (const block of blocks) this.#foreignBlocks[block] = 1;
      for (const spi of spis) this.#foreignSpis.add(spi);
    }
  }

  /**
   * Of an ESP or AH SPI that is none of our SAs'. What nobody claims is one daemon's to answer if all of them receive it;
   * in UDP only the one whose port it came to does.
   */
  ownerOf(spi: number, encapsulated: boolean): 'nobody' | 'other' | 'unreadable' {
    // A single SPI is more particular than the block that it lies in.
    if (this.#ownSpis.has(spi)) return 'nobody';
    if (this.isClaimedByOther(spi)) return 'other';
    if (this.#ownBlocks[blockOf(spi)] === 1) return this.#unclear;
    return this.#ownership.answersUnclaimed || encapsulated ? this.#unclear : 'other';
  }

  isClaimedByOther(spi: number): boolean {
    return this.#foreignSpis.has(spi) || this.#foreignBlocks[blockOf(spi)] === 1;
  }

  /** An unreadable daemon may hold what lies in our blocks: it never heard of them. */
  get #unclear(): 'nobody' | 'unreadable' {
    return this.#ownership.unreadable ? 'unreadable' : 'nobody';
  }

  /** Of an IKE SPI that its owner, and not the peer, has chosen. */
  isIkeSpiOfOther(spi: IkeSpi): boolean {
    return this.#foreignBlocks[blockOfIkeSpi(spi)] === 1;
  }
}
