import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBucket } from './token-bucket.ts';

test('a burst passes, then the steady rate', () => {
  const bucket = new TokenBucket(10, 3);
  const passed = (at: number): number => {
    let count = 0;
    while (bucket.take(at)) count++;
    return count;
  };
  assert.equal(passed(0), 3);
  assert.equal(passed(50), 0);
  assert.equal(passed(100), 1);
  assert.equal(passed(1000), 3);
});

test('over a long flood no more passes than rate times time plus burst', () => {
  const bucket = new TokenBucket(10, 3);
  let count = 0;
  for (let at = 0; at < 10_000; at++) if (bucket.take(at)) count++;
  assert.ok(count <= 103 && count >= 100, String(count));
});
