// How long a running ping is not answered.
import { setTimeout as pause } from 'node:timers/promises';
import type { ContinuousPing } from '../harness/traffic.ts';

/** Of answers in a row, so that a single one does not count. */
const answersInARow = 5;

/** From now until the first of several answers in a row came. @throws NotSeenError after `timeoutMs` */
export async function outageMs(pings: ContinuousPing, timeoutMs: number): Promise<number> {
  // What is on its way already is answered still.
  await pause(50);
  const from = performance.now();
  await pings.answers(1, timeoutMs);
  const first = performance.now() - from;
  await pings.answers(answersInARow, timeoutMs);
  return Math.round(first + 50);
}
