import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { dismissPacketThreads, takePacketWorker, warmUpPacketThreads } from './index.ts';

async function running(): Promise<Worker> {
  const started = once(process, 'worker');
  warmUpPacketThreads();
  const [worker] = (await started) as [Worker];
  // The tests wait for it.
  worker.ref();
  await once(worker, 'online');
  return worker;
}

test('a thread that nobody took ends by itself, once it is loaded', async () => {
  const worker = await running();
  const exit = once(worker, 'exit');
  await dismissPacketThreads();
  // 1 is that of a thread that was ended wherever it was.
  assert.deepEqual(await exit, [0]);
  await dismissPacketThreads();
});

test('a thread that was taken is not dismissed', async () => {
  const worker = await running();
  assert.equal(takePacketWorker(), worker);
  await dismissPacketThreads();
  assert.notEqual(worker.threadId, -1);
  await worker.terminate();
});
