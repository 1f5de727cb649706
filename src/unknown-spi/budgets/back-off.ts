// One action per subject and window, each window longer than the last: for what may be provoked but not hurried.

export interface BackOffLimits {
  readonly windowMsMin: number;
  readonly windowMsMax: number;
  /** Subjects remembered at a time; the one that acted longest ago is forgotten first. */
  readonly subjectsMax: number;
}

interface Step {
  windowMs: number;
  /** The next action is allowed from here on. */
  nextAt: number;
}

/**
 * The hard buckets of actions that strangers may provoke: liveness checks, protected notifies, re-establishments.
 * The first is free; each further one waits out a window that doubles, and shrinks again with every window of quiet.
 */
export class BackOff {
  readonly #limits: BackOffLimits;
  readonly #steps = new Map<string, Step>();

  constructor(limits: BackOffLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#steps.size;
  }

  /** Takes the turn of `subject` if it has one. */
  take(subject: string, at: number): boolean {
    const { windowMsMin, windowMsMax, subjectsMax } = this.#limits;
    const known = this.#steps.get(subject);
    if (known !== undefined && at < known.nextAt) return false;
    let windowMs = windowMsMin;
    if (known !== undefined) {
      windowMs = Math.min(windowMsMax, known.windowMs * 2);
      // Each window of quiet beyond the one that had to be waited out takes one doubling back.
      for (let quietMs = at - known.nextAt; quietMs >= windowMs && windowMs > windowMsMin; ) {
        quietMs -= windowMs;
        windowMs = Math.max(windowMsMin, windowMs / 2);
      }
    } else if (this.#steps.size >= subjectsMax) {
      this.#forgetOne(at);
      // A full table of subjects that still wait: who comes now has to wait too.
      if (this.#steps.size >= subjectsMax) return false;
    }
    this.#steps.delete(subject);
    this.#steps.set(subject, { windowMs, nextAt: at + windowMs });
    return true;
  }

  /** When `subject` has its next turn; `undefined`: now. */
  nextAt(subject: string, at: number): number | undefined {
    const step = this.#steps.get(subject);
    return step === undefined || step.nextAt <= at ? undefined : step.nextAt;
  }

  /** What was suspected turned out to be true, or the subject is gone. */
  forget(subject: string): void {
    this.#steps.delete(subject);
  }

  #forgetOne(at: number): void {
    for (const [subject, { nextAt }] of this.#steps) {
      if (nextAt > at) continue;
      this.#steps.delete(subject);
      return;
    }
  }
}
