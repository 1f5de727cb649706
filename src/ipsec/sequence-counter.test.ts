import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SequenceCounter } from './sequence-counter.ts';

// RFC 4303 3.3.3
test('the first packet carries 1', () => {
  const counter = new SequenceCounter(false);
  assert.equal(counter.advance(), true);
  assert.deepEqual([counter.high, counter.low], [0, 1]);
});

test('without ESN the counter stops at 2^32 - 1 and stays there', () => {
  const counter = new SequenceCounter(false, { high: 0, low: 0xffff_fffe });
  assert.equal(counter.advance(), true);
  assert.equal(counter.low, 0xffff_ffff);
  assert.equal(counter.advance(), false);
  assert.equal(counter.advance(), false);
  assert.deepEqual([counter.high, counter.low], [0, 0xffff_ffff]);
});

test('with ESN the counter carries into the high word and stops at 2^64 - 1', () => {
  const counter = new SequenceCounter(true, { high: 0, low: 0xffff_ffff });
  assert.equal(counter.advance(), true);
  assert.deepEqual([counter.high, counter.low], [1, 0]);
  const last = new SequenceCounter(true, { high: 0xffff_ffff, low: 0xffff_ffff });
  assert.equal(last.advance(), false);
});
