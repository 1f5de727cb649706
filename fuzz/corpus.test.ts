// Every committed input again: what was once found must stay fixed, and the seeds must stay readable.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inputsOf } from './corpus.ts';
import { judge } from './loop.ts';
import { targets } from './targets.ts';

for (const target of targets) {
  describe(`corpus of ${target.name}`, () => {
    const outcomes = inputsOf(target).map(({ name, octets }) => ({ name, ...judge(target, octets) }));
    for (const { name, wrong } of outcomes) {
      test(`${name} is accepted or refused in time`, () => assert.equal(wrong, undefined));
    }
    test('seeds are accepted', () => {
      const refused = outcomes.filter(({ name, accepted }) => name.startsWith('seed-') && !accepted);
      assert.deepEqual(refused, []);
      assert.ok(outcomes.some(({ name }) => name.startsWith('seed-')));
    });
  });
}
