// The puzzle: cheap to set and to check, dear to solve (RFC 7401 4.1.2, 6.3).
import { type Hit, hitBytes } from '#wire';
import { CryptoError } from '../error.ts';
import { digest } from '../key-material/digest.ts';
import { concatenate } from '../key-material/octets.ts';
import { rhashOf } from './hit-suite.ts';

/** What Initiator and Responder know of a puzzle. Plain data, so that solving it can be a job done elsewhere. */
export interface HipPuzzle {
  readonly initiator: Hit;
  readonly responder: Hit;
  /** #I */
  readonly random: Uint8Array;
  /** #K: how many low-order bits of the hash have to be zero. */
  readonly difficulty: number;
}

/** Whether the last `count` bits are zero; a hash of fewer bits never fulfills it. */
function endsInZeros(octets: Uint8Array, count: number): boolean {
  if (count > 8 * octets.length) return false;
  const whole = count >>> 3;
  for (let i = 1; i <= whole; i++) if (octets[octets.length - i] !== 0) return false;
  return ((octets[octets.length - 1 - whole] ?? 0) & ((1 << (count & 7)) - 1)) === 0;
}

/**
 * Ltrunc(RHASH(#I | HIT-I | HIT-R | #J), #K) == 0. False also if #I or #J are not as long as RHASH, and for a Responder
 * of an unknown HIT Suite: all of it may come from a stranger.
 */
export function isPuzzleSolved(puzzle: HipPuzzle, solution: Uint8Array): boolean {
  const { initiator, responder, random, difficulty } = puzzle;
  try {
    const { hash, hashBytes } = rhashOf(responder);
    if (random.length !== hashBytes || solution.length !== hashBytes) return false;
    return endsInZeros(digest(hash, random, hitBytes(initiator), hitBytes(responder), solution), difficulty);
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
}

/** Where the search for #J stands: found, or to be continued at `next`. */
export type PuzzleSearch =
  | { readonly solved: true; readonly solution: Uint8Array; readonly attempts: number }
  | { readonly solved: false; readonly next: Uint8Array; readonly attempts: number };

/**
 * Tries `attemptsMax` values of #J, from `start` upwards. Each has a chance of 2^-#K, so that 2^#K are needed on average;
 * whoever searches looks at the clock between calls (RFC 7401 4.1.2: not beyond the puzzle's lifetime).
 * @param start drawn at random, as long as RHASH; or `next` of the call before
 * @throws CryptoError `unsupported` for a Responder of an unknown HIT Suite; `bad-length` if #I or `start` is not as long
 *   as RHASH
 */
export function searchPuzzleSolution(
  puzzle: HipPuzzle,
  start: Uint8Array,
  attemptsMax: number,
): PuzzleSearch {
  const { initiator, responder, random, difficulty } = puzzle;
  const { hash, hashBytes } = rhashOf(responder);
  if (random.length !== hashBytes || start.length !== hashBytes) {
    throw new CryptoError('bad-length', `#I and #J of ${random.length} and ${start.length} octets`);
  }
  const input = concatenate(random, hitBytes(initiator), hitBytes(responder), start);
  const candidate = input.subarray(input.length - hashBytes);
  for (let attempts = 1; attempts <= attemptsMax; attempts++) {
    if (endsInZeros(digest(hash, input), difficulty)) {
      return { solved: true, solution: candidate.slice(), attempts };
    }
    increment(candidate);
  }
  return { solved: false, next: candidate.slice(), attempts: attemptsMax };
}

function increment(octets: Uint8Array): void {
  for (let i = octets.length - 1; i >= 0; i--) {
    octets[i] = octets[i]! + 1;
    if (octets[i] !== 0) return;
  }
}
