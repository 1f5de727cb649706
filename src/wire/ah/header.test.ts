// Authentication Headers: the RFC's length example, round trips, and lengths that lie.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import { assertRefusesEveryPrefix, assertTotal } from '../testing/total-decoding.ts';
import { decodeAh, encodeAh } from './header.ts';
import { ahPackets } from './testing/arbitraries.ts';

const example = {
  nextHeader: 4,
  spi: 0x100,
  sequence: 1,
  icv: new Uint8Array(12),
  payload: new Uint8Array(),
};

test('the example of RFC 4302 2.2: an ICV of 96 bits makes the length field 4', () => {
  const octets = encodeAh(example);
  assert.equal(octets.length, 24);
  assert.equal(octets[1], 4);
});

test('decode(encode(packet)) is the packet', () => {
  fc.assert(fc.property(ahPackets, (packet) => assert.deepEqual(decodeAh(encodeAh(packet)), packet)));
});

test('the reserved field is ignored (RFC 4302 2.3)', () => {
  const octets = encodeAh(example);
  octets.set([0xff, 0xff], 2);
  assert.deepEqual(decodeAh(octets), example);
});

test('truncation and lengths that lie', () => {
  assertRefusesEveryPrefix(decodeAh, encodeAh(example));
  const octets = encodeAh(example);
  octets[1] = 0;
  assert.throws(
    () => decodeAh(octets),
    (error) => error instanceof WireError && error.code === 'length' && error.offset === 1,
  );
  octets[1] = 5;
  assert.throws(() => decodeAh(octets), WireError);
  assert.throws(() => encodeAh({ ...example, icv: new Uint8Array(10) }), WireError);
  assert.throws(() => encodeAh({ ...example, icv: new Uint8Array(1020) }), WireError);
  assertTotal(decodeAh, ahPackets.map(encodeAh));
});
