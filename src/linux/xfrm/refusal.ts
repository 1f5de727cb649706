// Why a command of the engine is not carried out.
import type { SaResult } from '#sa';
import { SystemCallError } from '../libc/errno.ts';

export type Refusal = Extract<SaResult, { readonly ok: false }>;

export function refuse(code: Refusal['code'], detail: string): Refusal {
  return { ok: false, code, detail };
}

/** The kernel may be too busy: what comes of the work then instead. */
export function unlessRefused<Result, Otherwise>(
  work: () => Result,
  otherwise: Otherwise,
): Result | Otherwise {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return otherwise;
  }
}
