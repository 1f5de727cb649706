// Every committed input again: what was once found must stay fixed, and the seeds must stay readable.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readCorpus } from './corpus.ts';
import { judge } from './loop.ts';
import { targets } from './targets.ts';

for (const target of targets) {
  describe(`corpus of ${target.name}`, () => {
    const outcomes = readCorpus(target.name).map(({ name, octets }) => ({ name, ...judge(target, octets) }));
    for (const { name, wrong } of outcomes) {
      test(`${name} is accepted or refused in time`, () => assert.equal(wrong, undefined));
    }
    test('seeds are accepted', () => {
      const refused = outcomes.filter(
        ({ name, behavior }) => name.startsWith('seed-') && behavior !== 'accepted',
      );
      assert.deepEqual(refused, []);
      assert.ok(outcomes.some(({ name }) => name.startsWith('seed-')));
    });
  });
}
