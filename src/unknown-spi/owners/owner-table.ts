// The keying daemons of one host and what each claims. Pure: the same calls give the same table on every replica.
import type { Randomness } from '#crypto';
import { blockOf, claimsOf, noClaims, type SpiClaims, spiBlocks } from './claims.ts';

/** One daemon, running or lately crashed. */
export interface SpiOwner {
  /** Stays the same from one start of a daemon to the next. */
  readonly name: string;
  readonly claims: SpiClaims;
  /** A tombstone: it crashed, and its claims are kept for its restarted self until then (milliseconds). */
  readonly expiresAt?: number;
}

/** More daemons than this on one host are a mistake of somebody. */
export const ownersMax = 64;

export class OwnerTable {
  readonly #owners = new Map<string, SpiOwner>();

  constructor(owners: Iterable<SpiOwner> = []) {
    for (const owner of owners) this.#owners.set(owner.name, owner);
  }

  all(): readonly SpiOwner[] {
    return [...this.#owners.values()];
  }

  byName(name: string): SpiOwner | undefined {
    return this.#owners.get(name);
  }

  /**
   * A daemon says what it holds; it keeps what nobody else claims, and gets back what its tombstone kept.
   * @param blocksWanted topped up to so many blocks at random, but never beyond half of those that are free
   * @returns false if the table is full
   */
  hold(name: string, held: SpiClaims, blocksWanted: number, { bytes }: Pick<Randomness, 'bytes'>): boolean {
    const known = this.#owners.get(name);
    if (known === undefined && this.#owners.size >= ownersMax) return false;
    const kept = known?.expiresAt === undefined ? noClaims : known.claims;
    const others = this.all().filter((owner) => owner.name !== name);
    const foreignBlocks = new Set(others.flatMap(({ claims }) => claims.blocks));
    const foreignSpis = new Set(others.flatMap(({ claims }) => claims.spis));
    const blocks = new Set([...held.blocks, ...kept.blocks].filter((block) => !foreignBlocks.has(block)));
    const spis = [...held.spis, ...kept.spis].filter(
      (spi) => !foreignSpis.has(spi) && !foreignBlocks.has(blockOf(spi)) && !blocks.has(blockOf(spi)),
    );
    const free: number[] = [];
    for (let block = 0; block < spiBlocks; block++) {
      if (!blocks.has(block) && !foreignBlocks.has(block)) free.push(block);
    }
    let due = Math.min(blocksWanted - blocks.size, Math.ceil(free.length / 2));
    for (; due > 0; due--) {
      const drawn = new DataView(Uint8Array.from(bytes(4)).buffer).getUint32(0) % free.length;
      blocks.add(free[drawn]!);
      free.splice(drawn, 1);
    }
    this.#owners.set(name, { name, claims: claimsOf(blocks, spis) });
    return true;
  }

  /** It died without a word: others leave its SPIs alone until `expiresAt`. */
  crashed(name: string, expiresAt: number): void {
    const owner = this.#owners.get(name);
    if (owner === undefined || owner.expiresAt !== undefined) return;
    this.#owners.set(name, { ...owner, expiresAt });
  }

  /** It deleted its SAs and ended. */
  left(name: string): void {
    this.#owners.delete(name);
  }

  /** Whether a tombstone went. */
  expire(at: number): boolean {
    let changed = false;
    for (const { name, expiresAt } of this.all()) {
      if (expiresAt !== undefined && expiresAt <= at) changed = this.#owners.delete(name) || changed;
    }
    return changed;
  }

  /** When `expire` has something to do. */
  deadline(): number | undefined {
    const times = this.all().flatMap(({ expiresAt }) => expiresAt ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}
