import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Writer } from './writer.ts';

test('what had keys is wiped from where it was written', () => {
  const writer = new Writer(8);
  assert.deepEqual(writer.bytes(Uint8Array.of(1, 2, 3)).finishAndWipe(), Uint8Array.of(1, 2, 3));
  assert.deepEqual(writer.finish(), Uint8Array.of(0, 0, 0));
});
