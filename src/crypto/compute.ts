// Work that may take long or happen elsewhere: it leaves a core room as a plain-data job and returns as a plain-data result.
import { validatePath } from './certificates/validate-path.ts';
import { type HipPuzzle, type PuzzleSearch, searchPuzzleSolution } from './hip/puzzle.ts';

/** Validate a peer's certificate path (RFC 5280 6). All certificates and lists are DER. */
export interface ValidatePathJob {
  readonly kind: 'validate-path';
  /** End entity first, then the intermediates the peer sent and those we know. */
  readonly certificates: readonly Uint8Array[];
  readonly trustAnchors: readonly Uint8Array[];
  readonly revocationLists: readonly Uint8Array[];
  readonly ocspResponses: readonly Uint8Array[];
  readonly revocation: 'strict' | 'ifuri' | 'relaxed';
  /** Wall-clock milliseconds. */
  readonly nowMs: number;
}

/** Look for the solution of a HIP puzzle for a while (RFC 7401 6.3). */
export interface SearchPuzzleJob {
  readonly kind: 'search-puzzle';
  readonly puzzle: HipPuzzle;
  /** The first #J to try. */
  readonly start: Uint8Array;
  readonly attemptsMax: number;
}

export type ComputeJob = ValidatePathJob | SearchPuzzleJob;

export type ValidatePathResult =
  | {
      readonly kind: 'validate-path';
      readonly ok: true;
      /** DER, end entity first, trust anchor last. */
      readonly path: readonly Uint8Array[];
    }
  | {
      readonly kind: 'validate-path';
      readonly ok: false;
      /** Which certificate was refused and why, for people: subject, then reason. */
      readonly reason: string;
    };

export interface SearchPuzzleResult {
  readonly kind: 'search-puzzle';
  readonly search: PuzzleSearch;
}

export type ComputeResult = ValidatePathResult | SearchPuzzleResult;

/** Runs a job here and now. */
export function computeNow(job: ComputeJob): ComputeResult {
  if (job.kind === 'validate-path') return validatePath(job);
  return { kind: 'search-puzzle', search: searchPuzzleSolution(job.puzzle, job.start, job.attemptsMax) };
}

/** Runs a job to its result. A promise, so that a job may also be done elsewhere; it is rejected only by a defect. */
export async function runComputeJob(job: ComputeJob): Promise<ComputeResult> {
  return computeNow(job);
}
