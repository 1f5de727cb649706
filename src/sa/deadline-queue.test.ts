import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeadlineQueue } from './deadline-queue.ts';

test('given any timers set, moved and dropped, the due ones come out as a sorted list would give them', () => {
  const step = fc.oneof(
    fc.record({
      key: fc.integer({ min: 0, max: 20 }),
      at: fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
    }),
    fc.record({ now: fc.integer({ min: 0, max: 50 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const queue = new DeadlineQueue();
      const model = new Map<string, number>();
      for (const one of steps) {
        if ('now' in one) {
          const due = [...model]
            .filter(([, at]) => at <= one.now)
            .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
          for (const [key] of due) {
            assert.equal(queue.takeDue(one.now), key);
            model.delete(key);
          }
          assert.equal(queue.takeDue(one.now), undefined);
        } else {
          queue.set(String(one.key), one.at);
          if (one.at === undefined) model.delete(String(one.key));
          else model.set(String(one.key), one.at);
        }
        assert.equal(queue.next(), model.size === 0 ? undefined : Math.min(...model.values()));
      }
    }),
  );
});
