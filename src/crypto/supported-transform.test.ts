// Which transforms of a proposal can be used.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Encr, Esn, Integ, Ke, Prf } from '#sa';
import { isSupportedTransform } from './supported-transform.ts';

test('all algorithms that have a name here are supported, AES with each of its three key lengths', () => {
  for (const id of Object.values(Encr)) {
    const fixed: readonly number[] = [Encr.NULL, Encr['3DES'], Encr.CHACHA20_POLY1305];
    assert.equal(isSupportedTransform({ type: 1, id }), fixed.includes(id));
    for (const keyLengthBits of [128, 192, 256]) {
      assert.equal(isSupportedTransform({ type: 1, id, keyLengthBits }), !fixed.includes(id));
    }
    for (const keyLengthBits of [0, 64, 160, 512]) {
      assert.equal(isSupportedTransform({ type: 1, id, keyLengthBits }), false);
    }
  }
  for (const id of Object.values(Prf)) assert.equal(isSupportedTransform({ type: 2, id }), true);
  for (const id of Object.values(Integ)) assert.equal(isSupportedTransform({ type: 3, id }), true);
  for (const id of Object.values(Ke)) assert.equal(isSupportedTransform({ type: 4, id }), true);
  for (const id of Object.values(Esn)) assert.equal(isSupportedTransform({ type: 5, id }), true);
});

test('a key length where none belongs makes a transform unusable (RFC 7296 3.3.5)', () => {
  for (const [type, id] of [
    [2, Prf.HMAC_SHA2_256],
    [3, Integ.HMAC_SHA2_256_128],
    [4, Ke.ECP_256],
    [5, Esn.NO],
  ] as const) {
    assert.equal(isSupportedTransform({ type, id, keyLengthBits: 256 }), false);
  }
});

test('unknown types and identifiers are unsupported', () => {
  for (const type of [0, 1, 2, 3, 4, 5, 6, 12, 255]) {
    assert.equal(isSupportedTransform({ type, id: 1024 }), false);
  }
  assert.equal(isSupportedTransform({ type: 6, id: 35 }), false);
});
