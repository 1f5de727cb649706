// Text as UTF-8 and back, whatever the characters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

const expected = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

test('text becomes the octets that Node makes of it, and comes back', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      assert.deepEqual(encodeUtf8(text), expected(text));
      assert.equal(decodeUtf8(encodeUtf8(text)), Buffer.from(text).toString());
    }),
  );
});

test('a lone surrogate has no UTF-8: it becomes the replacement character', () => {
  assert.deepEqual(encodeUtf8('a\ud800b'), expected('a\ufffdb'));
});
