// HITs where addresses stand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hit } from '#wire';
import { address } from './address.ts';
import { hitAddress, hitFromAddress, isGreaterHit } from './host-identity-tag.ts';

const hit = '20010021000000000000000000000a0b' as Hit;

// RFC 7343 2, RFC 7401 3.1
test('a HIT is an IPv6 address in 2001:20::/28, and no other address is a HIT', () => {
  assert.equal(hitAddress(hit), '2001:21::a0b');
  assert.equal(hitFromAddress(address('2001:21::a0b')), hit);
  for (const text of ['2001:10::1', '2001:30::1', '2001:db8::1', '::', '192.0.2.1']) {
    assert.equal(hitFromAddress(address(text)), undefined, text);
  }
});

// RFC 7401 6.5
test('HITs compare as unsigned numbers of 128 bits', () => {
  const ascending = [
    '00000000000000000000000000000000',
    '20010021000000000000000000000a0b',
    '2001002f000000000000000000000000',
    '9fffffffffffffffffffffffffffffff',
    'a0000000000000000000000000000000',
  ] as Hit[];
  for (const [i, one] of ascending.entries()) {
    for (const [k, other] of ascending.entries()) assert.equal(isGreaterHit(one, other), i > k);
  }
});
