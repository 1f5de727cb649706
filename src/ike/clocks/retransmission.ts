// Exponential back-off of requests (RFC 7296 2.1, 2.4).
import type { Randomness } from '#crypto';
import type { RetransmitConfiguration } from '../configuration.ts';
import { randomUpTo } from './lifetimes.ts';

/** The wait after a transmission before any jitter is taken off. */
function fullDelayMs(configuration: RetransmitConfiguration, attempt: number): number {
  const { baseMs, factor, limitMs } = configuration;
  return Math.round(Math.min(baseMs * factor ** attempt, limitMs ?? Number.MAX_SAFE_INTEGER));
}

/**
 * How long to wait for an answer after transmission `attempt` (0 is the first), in whole milliseconds; `undefined` for
 * an attempt beyond `tries`: the exchange failed then. After the last transmission there is a wait too.
 */
export function retransmitDelayMs(
  configuration: RetransmitConfiguration,
  attempt: number,
  randomness: Randomness,
): number | undefined {
  if (attempt > configuration.tries) return undefined;
  const full = fullDelayMs(configuration, attempt);
  const part = Math.min(1, Math.max(0, configuration.jitter));
  return Math.max(1, full - randomUpTo(Math.floor(full * part), randomness));
}

/** From the first transmission to giving up, without jitter: the longest that an unanswered exchange lasts. */
export function retransmitBudgetMs(configuration: RetransmitConfiguration): number {
  let total = 0;
  for (let attempt = 0; attempt <= configuration.tries; attempt++) {
    total += fullDelayMs(configuration, attempt);
  }
  return total;
}
