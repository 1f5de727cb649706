// The octets of a checkpoint's records: each comes back as it was, and a part of one is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type IkeSpi, WireError } from '#wire';
import {
  type CheckpointIndex,
  decodeCheckpointedSa,
  decodeCheckpointIndex,
  encodeCheckpointIndex,
} from './checkpoint-records.ts';

const spi = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((octets) => Buffer.from(octets).toString('hex') as IkeSpi);

const indexes: fc.Arbitrary<CheckpointIndex> = fc.record(
  {
    bootId: fc.string({ maxLength: 40 }),
    acrossBoot: fc.boolean(),
    place: fc.string({ maxLength: 40 }),
    writtenAtMs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    generations: fc
      .array(fc.tuple(spi, fc.nat(0xffff_ffff)), { maxLength: 5 })
      .map((entries) => new Map(entries)),
  },
  { noNullPrototype: true },
);

function refused(decode: (octets: Uint8Array) => unknown, octets: Uint8Array): boolean {
  try {
    decode(octets);
    return false;
  } catch (error) {
    assert.ok(error instanceof WireError, `${error}`);
    return true;
  }
}

test('every index comes back as it was, and no part of it is one', () => {
  fc.assert(
    fc.property(indexes, (index) => {
      const octets = encodeCheckpointIndex(index);
      assert.deepEqual(decodeCheckpointIndex(octets), index);
      for (let length = 0; length < octets.length; length++) {
        assert.ok(refused(decodeCheckpointIndex, octets.slice(0, length)));
      }
      assert.ok(refused(decodeCheckpointIndex, Uint8Array.of(...octets, 0)));
    }),
  );
});

test('whatever the octets are, they are an index or a record of an IKE SA, or a WireError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120, size: 'max' }), (octets) => {
      refused(decodeCheckpointIndex, octets);
      refused(decodeCheckpointedSa, octets);
    }),
  );
});
