// IKEV2_MESSAGE_ID_SYNC's data: known octets, both ways, and every length that is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WireError } from '../error.ts';
import { decodes } from '../testing/total-decoding.ts';
import { decodeMessageIdSync, encodeMessageIdSync } from './message-id-sync.ts';

const data = Uint8Array.of(9, 8, 7, 6, 0, 0, 1, 2, 0xff, 0xff, 0xff, 0xfe);
const sync = { nonce: Uint8Array.of(9, 8, 7, 6), nextSent: 0x102, nextReceived: 0xffff_fffe };

test('nonce, next sent and next received stand in network order', () => {
  assert.deepEqual(encodeMessageIdSync(sync), data);
  assert.deepEqual(decodeMessageIdSync(data), sync);
});

test('any other length is refused, in both directions', () => {
  for (let length = 0; length < 20; length++) {
    assert.equal(decodes(decodeMessageIdSync, new Uint8Array(length)), length === 12);
  }
  assert.throws(
    () => encodeMessageIdSync({ ...sync, nonce: new Uint8Array(5) }),
    (error) => error instanceof WireError && error.code === 'value',
  );
});
