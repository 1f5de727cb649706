// How long a running ping is not answered.
import { setTimeout as pause } from 'node:timers/promises';
import type { ContinuousPing } from '../harness/traffic.ts';

/** Of answers in a row, so that a single one does not count. */
const answersInARow = 5;
const beatMs = 10;

export interface Outage {
  readonly ms: number;
  /** How much of it this process had to wait for its turns: on a busy machine so had everybody. */
  readonly waitedMs: number;
}

/** From now until the first of several answers in a row came. @throws NotSeenError if it does not end */
export async function outageOf(pings: ContinuousPing): Promise<Outage> {
  const from = performance.now();
  let waitedMs = 0;
  let last = from;
  const beat = setInterval(() => {
    const now = performance.now();
    waitedMs += Math.max(0, now - last - 2 * beatMs);
    last = now;
  }, beatMs);
  try {
    // What is on its way already is answered still.
    await pause(50);
    await pings.answers(1);
    const outage = { ms: Math.round(performance.now() - from), waitedMs: Math.round(waitedMs) };
    await pings.answers(answersInARow);
    return outage;
  } finally {
    clearInterval(beat);
  }
}

/** @throws Error if it took longer than `msMax`, of a machine that had time */
export function assertShort(what: string, { ms, waitedMs }: Outage, msMax: number): void {
  if (ms > msMax + waitedMs)
    throw new Error(
      `${what}: pings were not answered for ${ms} ms, of which this machine was busy ${waitedMs}`,
    );
}
