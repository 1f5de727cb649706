import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SaResult } from '#sa';
import { Answers } from './answers.ts';

const done: SaResult = { ok: true };
const refused: SaResult = { ok: false, code: 'failed', detail: 'no' };

test('whatever overtakes what, each result is told once, in the order of asking, and is a refusal if any is', () => {
  const question = fc.array(fc.boolean(), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(question, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (asked, choices) => {
      const told: [number, boolean][] = [];
      const settled: number[] = [];
      const answers = new Answers((id, { ok }) => told.push([id, ok]));
      const coming: [number, boolean][] = [];
      for (const [id, oks] of asked.entries()) {
        if (oks.length === 0) answers.refuse(id, refused);
        else answers.ask(id, oks.length, () => settled.push(id));
        for (const ok of oks) coming.push([id, ok]);
      }
      while (coming.length > 0) {
        const [[id, ok]] = coming.splice(choices.next().value! % coming.length, 1) as [[number, boolean]];
        answers.answered(id, ok ? done : refused);
      }
      answers.deliver();
      assert.deepEqual(
        told,
        asked.map((oks, id) => [id, oks.length > 0 && oks.every((ok) => ok)]),
      );
      assert.equal(settled.length, asked.filter((oks) => oks.length > 0).length);
    }),
  );
});

test('of two refusals the first is told, and an answer to nothing is nothing', () => {
  const told: SaResult[] = [];
  const answers = new Answers((_, result) => told.push(result));
  answers.ask(1, 3, () => undefined);
  answers.answered(2, done);
  answers.answered(1, refused);
  answers.answered(1, { ok: false, code: 'missing', detail: 'later' });
  assert.deepEqual(told, []);
  answers.answered(1, done);
  answers.answered(1, done);
  assert.deepEqual(told, [refused]);
});
