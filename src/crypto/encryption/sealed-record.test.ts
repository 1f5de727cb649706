// Sealed records open with their key and their associated octets, unchanged, and with nothing else.
import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CryptoError } from '../error.ts';
import { seededRandomness } from '../randomness/seeded-randomness.ts';
import { openRecord, sealOverheadBytes, sealRecord } from './sealed-record.ts';

const randomness = seededRandomness(Uint8Array.of(7));
const key = randomness.bytes(32);
const octets = fc.uint8Array({ maxLength: 100 });

test('a record opens to the text that was sealed', () => {
  fc.assert(
    fc.property(octets, octets, (associated, text) => {
      const sealed = sealRecord(randomness, key, associated, text);
      assert.equal(sealed.length, text.length + sealOverheadBytes);
      assert.deepEqual(openRecord(key, associated, sealed), text);
    }),
  );
});

test('the layout is nonce, ciphertext, tag of AES-256-GCM', () => {
  const text = Uint8Array.of(1, 2, 3, 4);
  const sealed = sealRecord(randomness, key, Uint8Array.of(9), text);
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
  decipher.setAAD(Uint8Array.of(9)).setAuthTag(sealed.subarray(16));
  assert.deepEqual(new Uint8Array(decipher.update(sealed.subarray(12, 16))), text);
  decipher.final();
});

test('two records of the same text share no nonce', () => {
  const text = new Uint8Array(4);
  const [a, b] = [sealRecord(randomness, key, text, text), sealRecord(randomness, key, text, text)];
  assert.notDeepEqual(a.subarray(0, 12), b.subarray(0, 12));
});

test('a changed or shortened record, other associated octets and another key open nothing', () => {
  const associated = Uint8Array.of(1, 2);
  const sealed = sealRecord(randomness, key, associated, Uint8Array.of(3, 4, 5));
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice();
    changed[at]! ^= 1;
    assert.equal(openRecord(key, associated, changed), undefined);
    assert.equal(openRecord(key, associated, sealed.slice(0, at)), undefined);
  }
  assert.equal(openRecord(key, Uint8Array.of(1, 3), sealed), undefined);
  assert.equal(openRecord(randomness.bytes(32), associated, sealed), undefined);
});

test('a key of another length is an error', () => {
  const short = new Uint8Array(16);
  assert.throws(
    () => sealRecord(randomness, short, short, short),
    (error) => error instanceof CryptoError && error.code === 'bad-key',
  );
  assert.throws(
    () => openRecord(short, short, new Uint8Array(64)),
    (error) => error instanceof CryptoError && error.code === 'bad-key',
  );
});
