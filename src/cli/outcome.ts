// What a command prints and how it exits, from a daemon's answer.
import type { ControlAnswer } from '#daemon';

export interface ControlOutcome {
  readonly ok: boolean;
  /** It failed because it was asked wrongly, or because of what a configuration says. */
  readonly usage?: true;
  readonly lines: readonly string[];
  /** For programs, if there is more to say than lines. */
  readonly value?: unknown;
}

/** @param done what to say when the daemon did it */
export function outcomeOf(answer: ControlAnswer, done: string): ControlOutcome {
  switch (answer.kind) {
    case 'refused':
      return { ok: false, lines: [answer.detail] };
    case 'result':
      return answer.result.ok ? { ok: true, lines: [done] } : { ok: false, lines: [answer.result.detail] };
    case 'status':
    case 'why':
    case 'snapshot':
    case 'page':
      return { ok: true, lines: [] };
  }
}
