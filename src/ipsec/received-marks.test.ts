// Marks of what was received: never lower than the truth.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReceivedMark, receivedSequence } from './received-marks.ts';
import { ReplayWindow } from './replay-window.ts';

const numbers = fc.record({ high: fc.nat(0xffff_ffff), low: fc.nat(0xffff_ffff) }, { noNullPrototype: true });

test('a mark is the number that it was raised to, or unknown where a double does not hold it', () => {
  fc.assert(
    fc.property(numbers, ({ high, low }) => {
      const cells = new Float64Array(2);
      new ReceivedMark(cells, 1).raise(high, low);
      assert.equal(cells[0], 0);
      assert.deepEqual(receivedSequence(cells[1]!), high < 2 ** 21 ? { high, low } : undefined);
    }),
  );
  for (const mark of [Number.NaN, -1, 0.5, 2 ** 53, Number.POSITIVE_INFINITY])
    assert.equal(receivedSequence(mark), undefined);
});

test('a window that goes on from its mark accepts nothing that was accepted before, and what comes next', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 60 }), (sent) => {
      const cells = new Float64Array(1);
      const before = new ReplayWindow(64, true);
      before.mark = new ReceivedMark(cells, 0);
      const accepted = sent.filter((low) => {
        if (before.check(0, low) !== 'new') return false;
        before.accept(0, low);
        // Killed at any instant, it is the highest so far.
        assert.equal(cells[0], before.top.low);
        return true;
      });
      const after = new ReplayWindow(64, true, receivedSequence(cells[0]!));
      for (const low of accepted) assert.notEqual(after.check(0, low), 'new');
      assert.equal(after.check(0, Math.max(...accepted) + 1), 'new');
    }),
  );
});
