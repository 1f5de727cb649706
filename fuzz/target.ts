// What can be fuzzed.
import type { CorpusEntry } from './corpus.ts';
import type { Prng } from './prng.ts';

export interface FuzzTarget {
  /** Also the name of its corpus folder. */
  readonly name: string;
  /**
   * Reads the octets: returns, or throws a typed error. Breaking a promise of the code under test is any other error.
   * A text that is returned tells in which way the octets were accepted.
   */
  run(octets: Uint8Array): unknown;
  /** Whether an error is the one by which the target may refuse octets. */
  refuses(error: unknown): boolean;
  /** Makes mutated octets pass a check which mutations hardly ever satisfy, such as a length or a checksum. */
  repair?(octets: Uint8Array): void;
  /** Instead of changes to octets alone, for inputs that are made of steps. */
  mutate?(octets: Uint8Array, random: Prng, other: Uint8Array): Uint8Array;
  /** Inputs to start from that are made, not stored. */
  seeds?(): readonly CorpusEntry[];
  /** Of texts: what they consist of, for changes that octets alone would hardly make. */
  readonly words?: readonly string[];
}
