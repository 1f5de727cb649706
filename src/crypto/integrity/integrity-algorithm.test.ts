// Known answers of all integrity algorithms.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Integ } from '#sa';
import { CryptoError } from '../error.ts';
import { ascending, ascii, digits, hex } from '../testing/octets.ts';
import { integrityAlgorithm, integrityKeyBytes } from './integrity-algorithm.ts';

const repeated = (octet: number, count: number): Uint8Array => new Uint8Array(count).fill(octet);

const knownAnswers = [
  {
    source: 'RFC 2202 3, case 1, truncated as RFC 2404 2 says',
    id: Integ.HMAC_SHA1_96,
    key: repeated(0x0b, 20),
    data: ascii('Hi There'),
    icv: 'b617318655057264e28bc0b6',
  },
  {
    source: 'RFC 2202 3, case 3, truncated',
    id: Integ.HMAC_SHA1_96,
    key: repeated(0xaa, 20),
    data: repeated(0xdd, 50),
    icv: '125d7342b9ac11cd91a39af4',
  },
  {
    source: 'RFC 3566 4.6, case 4',
    id: Integ.AES_XCBC_96,
    key: ascending(0, 16),
    data: ascending(0, 20),
    icv: '47f51b4564966215b8985c63',
  },
  {
    source: 'RFC 4494 3, case 2',
    id: Integ.AES_CMAC_96,
    key: hex('2b7e151628aed2a6abf7158809cf4f3c'),
    data: hex('6bc1bee22e409f96e93d7e117393172a'),
    icv: '070a16b46b4d4144f79bdd9d',
  },
  {
    source: 'RFC 4868 2.7.2.1, AUTH256-1',
    id: Integ.HMAC_SHA2_256_128,
    key: repeated(0x0b, 32),
    data: ascii('Hi There'),
    icv: '198a607eb44bfbc69903a0f1cf2bbdc5',
  },
  {
    source: 'RFC 4868 2.7.2.1, AUTH256-4',
    id: Integ.HMAC_SHA2_256_128,
    key: ascending(1, 32),
    data: repeated(0xcd, 50),
    icv: '372efcf9b40b35c2115b1346903d2ef4',
  },
  {
    source: 'RFC 4868 2.7.2.1, AUTH256-4, cut to 96 bits',
    id: Integ.HMAC_SHA2_256_96,
    key: ascending(1, 32),
    data: repeated(0xcd, 50),
    icv: '372efcf9b40b35c2115b1346',
  },
  {
    source: 'RFC 4868 2.7.2.2, AUTH384-2',
    id: Integ.HMAC_SHA2_384_192,
    key: ascii('Jefe'.repeat(12)),
    data: ascii('what do ya want for nothing?'),
    icv: '2c7353974f1842fd66d53c452ca42122b28c0b594cfb184d',
  },
  {
    source: 'RFC 4868 2.7.2.3, AUTH512-3',
    id: Integ.HMAC_SHA2_512_256,
    key: repeated(0xaa, 64),
    data: repeated(0xdd, 50),
    icv: '2ee7acd783624ca9398710f3ee05ae41b9f9b0510c87e49e586cc9bf961733d8',
  },
];

for (const { source, id, key, data, icv } of knownAnswers) {
  test(`integrity algorithm ${id} answers as ${source} says`, () => {
    const algorithm = integrityAlgorithm(id);
    assert.equal(digits(algorithm.compute(key, data)), icv);
    assert.equal(digits(algorithm.compute(key, data.subarray(0, 5), data.subarray(5))), icv);
    assert.equal(algorithm.icvBytes, icv.length / 2);
    assert.equal(algorithm.keyBytes, key.length);
    assert.equal(integrityKeyBytes(id), key.length);
  });

  test(`integrity algorithm ${id} refuses a key that is one octet too short or too long`, () => {
    for (const length of [key.length - 1, key.length + 1]) {
      assert.throws(
        () => integrityAlgorithm(id).compute(new Uint8Array(length), data),
        (error) => error instanceof CryptoError && error.code === 'bad-key',
      );
    }
  });
}

test('NONE takes no key and is no algorithm; unknown transform IDs are unsupported', () => {
  assert.equal(integrityKeyBytes(Integ.NONE), 0);
  for (const id of [Integ.NONE, 1, 9, 65535]) {
    assert.throws(
      () => integrityAlgorithm(id),
      (error) => error instanceof CryptoError && error.code === 'unsupported',
    );
  }
  assert.throws(() => integrityKeyBytes(1), CryptoError);
});
