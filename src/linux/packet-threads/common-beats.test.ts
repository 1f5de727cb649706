import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommonBeats } from './common-beats.ts';

test('moves while all of them move, and stands still with any of them', () => {
  const beats = new CommonBeats();
  const first = beats.of([1, 1]);
  const moved = beats.of([2, 5]);
  assert.notEqual(moved, first);
  assert.equal(beats.of([3, 5]), moved);
  assert.equal(beats.of([9, 5]), moved);
  // Each has moved since all had, though not in the same look.
  assert.notEqual(beats.of([9, 6]), moved);
});
