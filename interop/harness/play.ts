// Plays one run of a scenario; when it fails, what is needed to understand why is kept.
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { patienceMs } from './eventually.ts';
import { failuresFolder } from './paths.ts';
import { type Run, runTitle } from './scenario.ts';
import { Stage } from './stage.ts';

/** Several things may take their time, one after the other. */
const timeLimitMsDefault = 4 * patienceMs;

/** What became of a run. */
export interface Outcome {
  readonly run: Run;
  readonly durationMs: number;
  /** Absent: it passed. */
  readonly failure?: Error;
  /** Where the capture, keys, configurations and logs of a failed run are. */
  readonly kept?: string;
}

/** Never rejects. */
export async function play(run: Run): Promise<Outcome> {
  const startedAt = performance.now();
  const kept = join(failuresFolder, runTitle(run).replaceAll(', ', '-'));
  await rm(kept, { recursive: true, force: true });
  let stage: Stage | undefined;
  try {
    stage = await Stage.prepare(run);
    await withinTimeLimit(run.scenario.play(stage), run.scenario.timeLimitMs ?? timeLimitMsDefault);
    return { run, durationMs: performance.now() - startedAt };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    if (stage !== undefined) await keep(stage, kept, failure);
    return { run, durationMs: performance.now() - startedAt, failure, kept };
  } finally {
    await stage?.close();
  }
}

async function withinTimeLimit(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the scenario takes longer than ${limitMs} ms`)), limitMs);
  });
  await Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

async function keep(stage: Stage, folder: string, failure: Error): Promise<void> {
  await stage.stop();
  await mkdir(folder, { recursive: true });
  // Sockets cannot be copied.
  const files = (source: string): boolean => !/\/(control(\.vici)?|vici)$/.test(source);
  await cp(stage.folder, folder, { recursive: true, filter: files });
  await writeFile(join(folder, 'wayward.log'), await stage.wayward.log());
  await writeFile(join(folder, 'charon.log'), await stage.strongswan.log());
  await writeFile(join(folder, 'failure.txt'), `${failure.stack ?? failure.message}\n`);
}
