// The error by which a checker ends a simulation.

export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
  readonly code = 'invariant-violation' as const;
  /** Name of the checker. */
  readonly checker: string;
  /** Virtual milliseconds. */
  readonly at: number;

  constructor(checker: string, at: number, detail: string) {
    super(`${checker} at ${at} ms: ${detail}`);
    this.checker = checker;
    this.at = at;
  }
}
