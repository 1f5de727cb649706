// Numbers that say whose an SA is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestIds } from './request-ids.ts';

test('numbers are the owner’s own, above what others count to, and no pair has two', () => {
  const ids = new RequestIds('/var/lib/wayward');
  const taken = new Set(Array.from({ length: 1000 }, () => ids.take()));
  assert.equal(taken.size, 1000);
  for (const id of taken) assert.ok(id >= 0x8000_0000 && ids.isOurs(id));
  for (const id of [0, 1, 7, 0x7fff_ffff]) assert.equal(ids.isOurs(id), false);
});

test('another owner’s are not ours, and the process after us has the same', () => {
  const [ours, theirs] = [new RequestIds('/var/lib/wayward'), new RequestIds('/run/other.state')];
  const id = ours.take();
  assert.equal(theirs.isOurs(id), false);
  assert.notEqual(ours.stateTag, theirs.stateTag);
  const next = new RequestIds('/var/lib/wayward');
  assert.equal(next.isOurs(id), true);
  next.keep(id);
  assert.notEqual(next.take(), id);
});

test('a number is given again only after it was given back', () => {
  const ids = new RequestIds('x');
  const first = ids.take();
  const all = new Set([first]);
  for (let i = 1; i < 2 ** 18 - 1; i++) all.add(ids.take());
  assert.equal(all.size, 2 ** 18 - 1);
  assert.throws(() => ids.take(), RangeError);
  ids.give(first);
  assert.equal(ids.take(), first);
});
