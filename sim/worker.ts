// Runs seeds in a thread of its own: takes a number, answers with what came of it.
import { parentPort } from 'node:worker_threads';
import type { Batch } from './pool.ts';
import { runSeeds } from './run-seeds.ts';

const port = parentPort;
if (port === null) throw new Error('this file is a worker thread');
port.on('message', ({ keying, from, to }: Batch) => {
  void runSeeds(keying, from, to).then((summary) => port.postMessage(summary));
});
