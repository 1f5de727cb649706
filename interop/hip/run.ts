// npm run interop -- hip [FILTER...]: the HIP scenarios, as a table.

import { inParallel } from '../harness/in-parallel.ts';
import { type HipRun, hipRuns, playHip } from './play.ts';

interface Outcome {
  readonly run: HipRun;
  readonly durationMs: number;
  readonly notes: readonly string[];
  readonly failure?: Error;
}

async function outcomeOf(run: HipRun): Promise<Outcome> {
  const startedAt = performance.now();
  try {
    const notes = await playHip(run);
    return { run, durationMs: performance.now() - startedAt, notes };
  } catch (error) {
    return { run, durationMs: performance.now() - startedAt, notes: [], failure: error as Error };
  }
}

/** Returns the exit status. */
export async function runHip(filters: readonly string[], atOnce: number): Promise<number> {
  const runs = hipRuns.filter(
    (run) => filters.length === 0 || filters.some((word) => run.title.includes(word)),
  );
  if (runs.length === 0) {
    console.error('no HIP scenario matches');
    return 1;
  }
  const outcomes = await inParallel(runs, atOnce, outcomeOf);
  const widest = Math.max(...runs.map((run) => run.title.length));
  for (const { run, durationMs, notes, failure } of outcomes) {
    const result = failure === undefined ? 'passed' : 'FAILED';
    const seconds = (durationMs / 1_000).toFixed(1);
    console.log(`${run.title.padEnd(widest)}  ${result}  ${seconds} s  ${run.expects}`);
    for (const note of notes) console.log(`  ${note}`);
    if (failure !== undefined) console.log(`  ${failure.message}`);
  }
  return outcomes.some(({ failure }) => failure !== undefined) ? 1 : 0;
}
