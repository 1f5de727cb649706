// MD4 answers as RFC 1320 A.5 says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii, digits } from '../testing/octets.ts';
import { md4 } from './md4.ts';

const suite: readonly (readonly [text: string, digest: string])[] = [
  ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
  ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
  ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
  ['message digest', 'd9130a8164549fe818874806e1c7014b'],
  ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
  [
    '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
    'e33b4ddc9c38f2199c3e7b164fcc0536',
  ],
];

for (const [text, digest] of suite) {
  test(`RFC 1320 A.5: MD4 of "${text}"`, () => {
    const octets = ascii(text);
    assert.equal(digits(md4(octets)), digest);
    assert.deepEqual(octets, ascii(text), 'the input stays as it was');
  });
}

test('a length around a block is padded as it should', () => {
  // Made with OpenSSL 3.0.19: `openssl dgst -provider legacy -md4`.
  const known: Readonly<Record<number, string>> = {
    55: '92f32bb82c95ad10e8f87ae58ab06807',
    56: '374d5f08103b7092c83b4626ebceffab',
    63: '2870452596e98fffd48332289b3472b9',
    64: 'b1abf956a5ae6f3221e5fe85e300fbb0',
    119: 'b55ae15e41e55643b0c3daad5e05c905',
    120: 'd8f9adfc41ec43552619606c70cfd287',
  };
  for (const [length, digest] of Object.entries(known)) {
    assert.equal(digits(md4(ascii('x'.repeat(Number(length))))), digest, length);
  }
});
