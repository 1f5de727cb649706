import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unlessMalformed, WireError } from './error.ts';

test('of what is malformed there is nothing, and a mistake of ours is not taken for it', () => {
  assert.equal(
    unlessMalformed(() => 7),
    7,
  );
  const malformed = (): never => {
    throw new WireError('truncated', 3, 'field');
  };
  assert.equal(unlessMalformed(malformed), undefined);
  const mistake = (): never => {
    throw new RangeError('a mistake');
  };
  assert.throws(() => unlessMalformed(mistake), RangeError);
});
