import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PatientQueue } from './patient-queue.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('items are taken in order, a few in each turn of the event loop, and none after it was cleared', async () => {
  const taken: number[] = [];
  const queue = new PatientQueue<number>((item) => taken.push(item));
  for (let i = 0; i < 40; i++) queue.add(i);
  assert.deepEqual(taken, []);
  await turn();
  assert.equal(taken.length, 16);
  queue.add(40);
  await turn();
  await turn();
  assert.deepEqual(
    taken,
    Array.from({ length: 41 }, (_, i) => i),
  );
  queue.add(41);
  queue.clear();
  await turn();
  await turn();
  assert.equal(taken.length, 41);
});
