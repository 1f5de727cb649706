// Exponential back-off of requests (RFC 7296 2.1, 2.4).
import type { Randomness } from '#crypto';
import type { RetransmitConfiguration } from './configuration.ts';

const todo = (): never => {
  throw new Error('not written yet');
};

/**
 * How long to wait for an answer after transmission `attempt` (0 is the first), in whole milliseconds; `undefined` once
 * all tries are spent: the exchange failed then.
 */
export function retransmitDelayMs(
  _configuration: RetransmitConfiguration,
  _attempt: number,
  _randomness: Randomness,
): number | undefined {
  return todo();
}

/** From the first transmission to giving up, without jitter: the longest that an unanswered exchange lasts. */
export function retransmitBudgetMs(_configuration: RetransmitConfiguration): number {
  return todo();
}
