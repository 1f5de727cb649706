// Many seeds over all cores, in batches, so that no thread waits long for another.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { addSummary, emptySummary, type Keying, type Summary } from './summary.ts';

const batchSeeds = 25;

/** Runs seeds `from` to `to`. Stops early once `failuresMax` of them have failed. */
export async function runPool(keying: Keying, from: number, to: number, failuresMax = 10): Promise<Summary> {
  const summary = emptySummary(keying);
  let next = from;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.js', import.meta.url));
    try {
      while (next <= to && summary.failures.length < failuresMax) {
        const batch = { keying, from: next, to: Math.min(to, next + batchSeeds - 1) };
        next = batch.to + 1;
        addSummary(summary, await ask(worker, batch));
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, work));
  summary.failures.sort((a, b) => a.seed - b.seed);
  return summary;
}

/** Seeds for a thread, both ends included. */
export interface Batch {
  readonly keying: Keying;
  readonly from: number;
  readonly to: number;
}

function ask(worker: Worker, batch: Batch): Promise<Summary> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      worker.off('message', onMessage);
      worker.off('error', onError);
    };
    const onMessage = (summary: Summary): void => {
      done();
      resolve(summary);
    };
    const onError = (error: Error): void => {
      done();
      reject(
        new Error(`a thread died in seeds ${batch.from} to ${batch.to}: ${error.message}`, { cause: error }),
      );
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(batch);
  });
}
