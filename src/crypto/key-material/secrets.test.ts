// Comparing, wiping and hashing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ascending, ascii, digits, hex } from '../testing/octets.ts';
import { digest } from './digest.ts';
import { numberFromOctets, octetsFromNumber } from './octets.ts';
import { equalConstantTime, wipe } from './secrets.ts';

test('octets are equal if all are, also when they are parts of something larger', () => {
  assert.equal(equalConstantTime(new Uint8Array(0), new Uint8Array(0)), true);
  assert.equal(equalConstantTime(ascending(0, 5), ascending(0, 6).subarray(0, 5)), true);
  assert.equal(equalConstantTime(ascending(0, 5), ascending(0, 6)), false);
  assert.equal(equalConstantTime(ascending(0, 5), ascending(1, 5)), false);
  assert.equal(equalConstantTime(ascending(0, 5), new Uint8Array(0)), false);
});

test('wiping leaves zeros, and nothing but the given part is wiped', () => {
  const whole = ascending(1, 6);
  wipe(whole.subarray(2, 4), undefined);
  assert.deepEqual(whole, hex('010200000506'));
});

test('digests of "abc" are those of FIPS 180-4, in one part or three', () => {
  const answers = {
    sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    sha384:
      'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
    sha512:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
      '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  } as const;
  for (const name of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
    assert.equal(digits(digest(name, ascii('abc'))), answers[name]);
    assert.equal(digits(digest(name, ascii('a'), ascii('b'), ascii('c'))), answers[name]);
  }
});

test('numbers become octets and numbers again', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 200n) - 1n }), (value) => {
      const octets = octetsFromNumber(value, 25);
      assert.equal(octets.length, 25);
      assert.equal(numberFromOctets(octets), value);
    }),
  );
  assert.equal(numberFromOctets(new Uint8Array(0)), 0n);
  assert.deepEqual(octetsFromNumber(0x0102n, 3), hex('000102'));
});
