// What the doctor says about one thing: a line, and what to do about it.

/**
 * - `ok`: as it should be
 * - `note`: works, but an operator should know
 * - `problem`: the daemon would not start, not carry traffic, or not be safe
 * - `unseen`: this user may not look
 */
export type Verdict = 'ok' | 'note' | 'problem' | 'unseen';

export interface Check {
  /** Stable, for scripts: `port-500`. */
  readonly name: string;
  readonly verdict: Verdict;
  readonly found: string;
  /** Absent: there is nothing to do. */
  readonly remedy?: string;
}

export function check(name: string, verdict: Verdict, found: string, remedy?: string): Check {
  return remedy === undefined ? { name, verdict, found } : { name, verdict, found, remedy };
}

/** Nothing is said about what cannot be seen but why. */
export function unseen(name: string, what: string, code: string): Check {
  const remedy = code === 'EACCES' || code === 'EPERM' ? 'look again as root' : undefined;
  return check(name, 'unseen', `${what} cannot be read (${code})`, remedy);
}
