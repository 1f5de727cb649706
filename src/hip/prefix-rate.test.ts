// Packets that a source may cause, for any address and any secret.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressFromBytes } from '#sa';
import { PrefixRate } from './prefix-rate.ts';

const perSecond = { perPrefix: 8, total: 100 };

const anyAddress = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(addressFromBytes);

test('any address gets its burst at once and its rate afterwards, whatever the secret is', () => {
  fc.assert(
    fc.property(anyAddress, fc.nat({ max: 0xffff_ffff }), (address, salt) => {
      const rate = new PrefixRate(salt, perSecond, 0);
      const taken = (at: number): number =>
        Array.from({ length: 50 }, () => rate.take(address, perSecond, at)).filter(Boolean).length;
      assert.equal(taken(0), 8);
      assert.equal(taken(500), 4);
      assert.equal(taken(60_000), 8);
    }),
    { numRuns: 2_000 },
  );
});

test('all addresses together get no more than the total', () => {
  const rate = new PrefixRate(7, perSecond, 0);
  let taken = 0;
  for (let i = 0; i < 1_000; i++) {
    if (rate.take(addressFromBytes(Uint8Array.of(10, 0, i >> 8, i)), perSecond, 0)) taken++;
  }
  assert.equal(taken, 100);
});

test('a whole IPv6 /64 is one source', () => {
  const rate = new PrefixRate(7, perSecond, 0);
  let taken = 0;
  for (let i = 0; i < 100; i++) {
    const octets = new Uint8Array(16);
    octets.set([0x20, 0x01, 0x0d, 0xb8]);
    octets[15] = i;
    if (rate.take(addressFromBytes(octets), perSecond, 0)) taken++;
  }
  assert.equal(taken, 8);
});
