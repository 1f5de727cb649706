import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Statistics } from './statistics.ts';

test('what each thread counted last is summed up by name', () => {
  const statistics = new Statistics(2);
  assert.deepEqual(statistics.of(0, { sealed: 1, opened: 2 }, 100), {
    verdicts: { sealed: 1, opened: 2 },
    heapBytes: 100,
  });
  statistics.of(1, { sealed: 10, opened: 20 }, 30);
  assert.deepEqual(statistics.of(0, { sealed: 3, opened: 4 }, 50), {
    verdicts: { sealed: 13, opened: 24 },
    heapBytes: 80,
  });
});

test('a sum does not fall when a thread that was replaced counts from zero', () => {
  const statistics = new Statistics(2);
  statistics.of(0, { sealed: 5 }, 100);
  statistics.of(1, { sealed: 7 }, 100);
  statistics.replaced(1);
  assert.deepEqual(statistics.of(0, { sealed: 6 }, 100), { verdicts: { sealed: 13 }, heapBytes: 100 });
  assert.deepEqual(statistics.of(1, { sealed: 1 }, 50), { verdicts: { sealed: 14 }, heapBytes: 150 });
});
