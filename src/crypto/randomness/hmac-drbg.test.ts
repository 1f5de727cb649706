// HMAC_DRBG against NIST's validation vectors.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digits, hex } from '../testing/octets.ts';
import { HmacDrbg } from './hmac-drbg.ts';

test("given NIST's first validation vector for SHA-256 without reseeding, then the second call gives its octets", () => {
  // DRBGVS, HMAC_DRBG.rsp, SHA-256, PredictionResistance = False, COUNT = 0: entropy input and nonce.
  const seed =
    'ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488 659ba96c601dc69fc902940805ec0ca8';
  const drbg = new HmacDrbg('sha256', 32, hex(seed));
  drbg.generate(128);
  assert.equal(
    digits(drbg.generate(128)),
    'e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89d54fbb978a15b5c443c9ec21036d2460' +
      'b6f73ebad0dc2aba6e624abf07745bc107694bb7547bb0995f70de25d6b29e2d3011bb19d27676c07162c8b5ccde0668' +
      '961df86803482cb37ed6d5c0bb8d50cf1f50d476aa0458bdaba806f48be9dcb8',
  );
});

test('counts that are no multiple of the block are cut, not rounded', () => {
  const generate = (count: number): Uint8Array => new HmacDrbg('sha256', 32, hex('00')).generate(count);
  for (const count of [0, 1, 31, 32, 33, 100]) {
    assert.equal(generate(count).length, count);
    assert.deepEqual(generate(count), generate(100).slice(0, count));
  }
});
