// Given numbers as they come: what is missing, late, repeated, or counted from the beginning again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SequenceTracker } from './sequence-tracker.ts';

function track(numbers: readonly number[]): SequenceTracker {
  const tracker = new SequenceTracker(numbers[0]!, 0);
  numbers.slice(1).forEach((number, i) => {
    tracker.see(number, (i + 1) * 10_000);
  });
  return tracker;
}

test('numbers in their order are all there', () => {
  const tracker = track([1, 2, 3, 4, 5]);
  assert.deepEqual([tracker.missing, tracker.reordered, tracker.replayed], [0, 0, 0]);
});

test('what is missing is what was sent and never came, in whatever order the others come', () => {
  const lossy = fc.array(fc.record({ lost: fc.boolean(), delay: fc.nat(30) }), {
    minLength: 2,
    maxLength: 300,
  });
  fc.assert(
    fc.property(lossy, (sent) => {
      const arriving = sent
        .map(({ lost, delay }, i) => ({ number: i + 1, lost, at: i + delay }))
        // The first and the last come, and come first and last: what lies beyond them nobody can know.
        .map((one, i) =>
          i === 0
            ? { ...one, lost: false, at: -1 }
            : i === sent.length - 1
              ? { ...one, lost: false, at: 1e6 }
              : one,
        )
        .filter(({ lost }) => !lost)
        .toSorted((a, b) => a.at - b.at)
        .map(({ number }) => number);
      const tracker = track(arriving);
      assert.equal(tracker.missing, sent.length - arriving.length);
      assert.equal(tracker.replayed, 0);
      assert.equal(tracker.highest, sent.length);
    }),
  );
});

test('a number that comes again is a replay, unless it comes at once: then it was captured twice', () => {
  const tracker = track([1, 2, 3]);
  assert.equal(tracker.see(2, 1_000_000), 'again');
  assert.equal(tracker.see(2, 1_000_500), 'twice');
  assert.deepEqual([tracker.replayed, tracker.twice], [1, 1]);
});

test('far back is old, and a run of old numbers is a sender that starts over', () => {
  const tracker = track([100_000, 100_001]);
  assert.equal(tracker.see(5, 100_000), 'old');
  assert.deepEqual(
    [6, 7, 8].map((number, i) => tracker.see(number, 200_000 + i * 10_000)),
    ['old', 'old', 'restart'],
  );
  assert.equal(tracker.highest, 8);
  assert.equal(tracker.replayed, 0);
  assert.equal(tracker.see(9, 400_000), 'next');
});

test('the low half of an extended number wraps', () => {
  const tracker = track([0xffff_fffe, 0xffff_ffff, 0, 1]);
  assert.deepEqual([tracker.missing, tracker.replayed, tracker.highest], [0, 0, 1]);
});

test('a leap beyond any loss is a jump, and nothing is missing for it', () => {
  const tracker = track([1, 2]);
  assert.equal(tracker.see(100_000, 50_000), 'jump');
  assert.equal(tracker.missing, 0);
  assert.equal(tracker.see(100_010, 60_000), 'gap');
  assert.deepEqual([tracker.missing, tracker.largestGap, tracker.afterLargestGap], [9, 9, 100_010]);
});
