import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandomness } from '#crypto';
import { isNegotiableSpi, type Spi } from '#sa';
import { SpiAllocator } from './spi-allocator.ts';

const nobody = (): boolean => false;
const seeds = fc.uint8Array({ minLength: 1, maxLength: 8 });
const anySpi = fc.integer({ min: 256, max: 0xffff_ffff }).map((spi) => spi as Spi);
const anyGroups = fc.integer({ min: 1, max: 64 });

/** Draws these octets again and again, and whatever comes after them. */
function allocatorDrawing(word: number, groups: number): SpiAllocator {
  const seeded = seededRandomness(Uint8Array.of(1));
  let first = true;
  return new SpiAllocator(
    {
      ...seeded,
      bytes: (count) => {
        if (!first) return seeded.bytes(count);
        first = false;
        const octets = new Uint8Array(count);
        new DataView(octets.buffer).setUint32(0, word);
        return octets;
      },
    },
    groups,
  );
}

test('for any groups, leases and claims, an SPI is free, ours, negotiable, and in the group that was asked for', () => {
  fc.assert(
    fc.property(
      seeds,
      anyGroups,
      fc.option(fc.uniqueArray(fc.nat(255), { minLength: 1, maxLength: 3 }), { nil: undefined }),
      fc.array(fc.option(anySpi, { nil: undefined }), { maxLength: 40 }),
      fc.nat(3),
      (seed, groups, lease, wishes, claimedQuarter) => {
        const allocator = new SpiAllocator(seededRandomness(seed), groups);
        allocator.lease = lease;
        // A claim that does not fall together with a group.
        const isForeign = (spi: number): boolean => ((spi >>> 12) & 3) === claimedQuarter;
        const all = wishes.map((like) => {
          const spi = allocator.allocate(isForeign, like);
          assert.ok(isNegotiableSpi(spi) && !isForeign(spi) && allocator.isTaken(spi));
          if (lease !== undefined) assert.ok(lease.includes(spi >>> 24));
          if (like !== undefined) assert.equal(spi % groups, like % groups);
          return spi;
        });
        assert.equal(new Set(all).size, all.length);
      },
    ),
  );
});

test('an SPI that would lie beyond its block of the lease is taken from below', () => {
  fc.assert(
    fc.property(
      anyGroups,
      anySpi,
      fc.nat(63),
      fc.integer({ min: 1, max: 255 }),
      (groups, like, below, block) => {
        const drawn = block * 2 ** 24 + (2 ** 24 - 1 - below);
        const spi = allocatorDrawing(drawn, groups).allocate(nobody, like);
        assert.equal(spi % groups, like % groups);
        assert.equal(spi >>> 24, block);
        assert.ok(Math.abs(spi - drawn) < groups);
      },
    ),
  );
});

test('with one group a wish changes nothing', () => {
  fc.assert(
    fc.property(seeds, anySpi, (seed, like) => {
      const [one, other] = [1, 2].map(() => new SpiAllocator(seededRandomness(seed)));
      for (let i = 0; i < 5; i++) assert.equal(one?.allocate(nobody, like), other?.allocate(nobody));
    }),
  );
});

test('without a wish every group gets its part', () => {
  const allocator = new SpiAllocator(seededRandomness(Uint8Array.of(5)), 4);
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 400; i++) counts[allocator.allocate(nobody) % 4]! += 1;
  assert.ok(Math.min(...counts) > 60, counts.join(' '));
});

test('where all of a group is claimed by others, an SPI of another group is given', () => {
  const allocator = new SpiAllocator(seededRandomness(Uint8Array.of(5)), 4);
  allocator.lease = [7];
  const like = 0x0700_0001 as Spi;
  assert.notEqual(allocator.allocate((spi) => spi % 4 === like % 4, like) % 4, like % 4);
});

test('groups are a whole number, and few', () => {
  for (const groups of [0, -1, 1.5, Number.NaN, 65_537]) {
    assert.throws(() => new SpiAllocator(seededRandomness(Uint8Array.of(5)), groups));
  }
});
