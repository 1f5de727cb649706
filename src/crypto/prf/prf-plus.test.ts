// prf+ against an independent implementation, and its end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prf } from '#sa';
import { ascii, digits } from '../testing/octets.ts';
import { prfPlus } from './prf-plus.ts';
import { pseudorandomFunction } from './pseudorandom-function.ts';

/** prf+("k" x 20, "seed"), 100 octets, computed with Python's hmac and the cryptography package's AES and CMAC. */
const stretched = {
  [Prf.HMAC_SHA1]:
    '0e95b8a98bb12e4bd5335af79e0d597203dc1ecc1b0621707b94344c575fd47f325bbd2dec6d63cc7f2d27b9a783d76b1583' +
    'a9bb546c5f0c81e770299d79f009cfed3130fe38de6099f62dec32d0b374bfab85cbb0a90cdbbb6ac2e89ea1775c7b459c1d',
  [Prf.AES128_XCBC]:
    '02a037c47d5463ec8ee65dfddff8f7c8444b8cc7192f7cd173e8a4ab0effa0730504f589ae8a4cf730512a19fc44a25202e3' +
    'f7d770ae7061d6f14ef837303d43b2c5448d5ce40e073b8d1f53b36fe69790ce34653009981490ce1e5ef121cc1bfeab4a01',
  [Prf.HMAC_SHA2_256]:
    'f0e84d22eabb9665c999beb6a295e52b20bd6e5293565be78dcb263ba91b27a8e922602fa18361a0de10a685639a0a965b38' +
    '3250ac8313b6dad4a1ba4e034b3203b944a6dd54d9a02b93e69fcf6fb9e24e69790cf0bd5f2c45232cb0b2a0152dfa55cf72',
  [Prf.HMAC_SHA2_384]:
    'ef54adc7a53f69ec842ad7411afdf38f0cf2e48b760d1c71b8d3913881b6a28d0fdb72f6ccc2ddbc12e2ae25346d07d531f6' +
    'b039ba41ee21ca261f9ff9b60b7081e1fcba8ae189994fd79c182562f5c93c0dc7a98417166305d7d04a3178532e94f183ee',
  [Prf.HMAC_SHA2_512]:
    'e54179ded30b3f0b906f21214834ef5f22ad7884e4c7e07eabe5016bdd8b44b04ecab4492b5f0b329d99ec747cb49ba2942c' +
    '565e5b0cd341b2c823e9b75500a1c51b815731fb5114e22c64dfb900b149a6cbba7f1f10efe8c667e358e196868d5e8247e8',
  [Prf.AES128_CMAC]:
    '80359890a36537ee96b92d87286d9a868d2e08490153113fa6a964c5eecb08f668cdf85fb566e8e71c58e9cc4fc365fb79d3' +
    'a900684adc547323d1a2cfab31c8314ae4fb774771e903b0562f0e1aa3e1f0d52ae1f25013c5643b7ef61fa01ccf74bf8593',
} as const;

for (const [id, expected] of Object.entries(stretched)) {
  test(`prf+ with PRF ${id} gives the same 100 octets as Python, and their beginning if fewer are asked for`, () => {
    const prf = pseudorandomFunction(Number(id));
    const key = ascii('k'.repeat(20));
    for (const length of [100, 99, 64, 33, 16, 1, 0]) {
      assert.equal(digits(prfPlus(prf, key, ascii('seed'), length)), expected.slice(0, 2 * length));
    }
  });
}

test('prf+ ends after 255 blocks, because its counter has one octet (RFC 7296 2.13)', () => {
  const prf = pseudorandomFunction(Prf.HMAC_SHA1);
  const key = ascii('key');
  assert.equal(prfPlus(prf, key, ascii('seed'), 255 * 20).length, 5100);
  assert.throws(() => prfPlus(prf, key, ascii('seed'), 255 * 20 + 1), RangeError);
  assert.throws(() => prfPlus(prf, key, ascii('seed'), Number.NaN), RangeError);
});
