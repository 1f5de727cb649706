// Waiting for something to become true by asking again and again: scenarios never sleep for a guessed time.
import { setTimeout as pause } from 'node:timers/promises';

/** Something that should have happened did not; the message holds what was seen last. */
export class NotSeenError extends Error {
  readonly code = 'not-seen' as const;
}

const askAgainMs = 40;

/**
 * How long is waited for what has no time of its own to keep: a busy machine takes its time, and what never comes fails either
 * way. A time that is a claim stands where it is claimed.
 */
export const patienceMs = 60_000;

/** Asks until the answer is neither undefined nor false. @throws NotSeenError after `timeoutMs` */
export async function eventually<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
  timeoutMs: number = patienceMs,
): Promise<Answer> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() >= until) throw new NotSeenError(`within ${timeoutMs} ms: ${what}`);
    await pause(askAgainMs);
  }
}
