// How long is silence.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerWithin, silenceMsFor } from './path-knowledge.ts';

test('silence lasts a round trip longer than the answer to anything', () => {
  assert.equal(silenceMsFor({ roundTripMs: 100, answerWithinMs: 300 }), 400);
  // On a path whose round trips differ.
  assert.equal(silenceMsFor({ roundTripMs: 64, answerWithinMs: 320 }), 384);
  assert.equal(silenceMsFor({ roundTripMs: 1, answerWithinMs: 3 }), 250);
});

test('of a path of which nothing is known a second is not too long', () => {
  const unknown = { roundTripMs: undefined, answerWithinMs: undefined };
  assert.equal(answerWithin(unknown), 1_000);
  assert.equal(silenceMsFor(unknown), 1_000);
});
