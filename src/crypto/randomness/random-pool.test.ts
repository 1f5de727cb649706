// A pool in front of the operating system's randomness.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomPool } from './random-pool.ts';

/** Counts 1, 2, 3, ... through all octets that are ever asked for, modulo 251. */
function counting() {
  let next = 1;
  const filled: Uint8Array[] = [];
  const pool = new RandomPool((octets) => {
    for (let i = 0; i < octets.length; i++) octets[i] = next++ % 251;
    filled.push(octets);
  });
  return { pool, filled };
}

test('each octet of the pool is given once, and is gone from it then', () => {
  const { pool, filled } = counting();
  assert.deepEqual(pool.bytes(3), Uint8Array.of(1, 2, 3));
  assert.deepEqual(pool.bytes(2), Uint8Array.of(4, 5));
  assert.deepEqual(pool.bytes(0), new Uint8Array(0));
  assert.deepEqual(filled[0]!.subarray(0, 6), Uint8Array.of(0, 0, 0, 0, 0, 6));
});

test('what the pool has not enough octets for begins a new one', () => {
  const { pool, filled } = counting();
  for (let i = 0; i < 4_096 / 256; i++) pool.bytes(256);
  assert.equal(filled.length, 1);
  assert.deepEqual(filled[0], new Uint8Array(4_096));
  assert.equal(pool.bytes(1)[0], 4_097 % 251);
  assert.equal(filled.length, 2);
});

test('what is long is drawn by itself, and shares no memory with the pool', () => {
  const { pool, filled } = counting();
  const long = pool.bytes(257);
  assert.equal(long.length, 257);
  assert.equal(filled[0], long);
  const short = pool.bytes(16);
  assert.notEqual(short.buffer, filled[1]!.buffer);
});

test('two pools of the real generator differ', () => {
  assert.notDeepEqual(new RandomPool().bytes(32), new RandomPool().bytes(32));
});
