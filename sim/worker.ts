// Runs seeds in a thread of its own: takes a number, answers with what came of it.
import { parentPort } from 'node:worker_threads';
import { runSeeds } from './run-seeds.ts';

const port = parentPort;
if (port === null) throw new Error('this file is a worker thread');
port.on('message', ({ from, to }: { readonly from: number; readonly to: number }) => {
  void runSeeds(from, to).then((summary) => port.postMessage(summary));
});
