import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpiTable } from './spi-table.ts';

/** Few SPIs, so that many are added and deleted again, and many that share a home. */
const spi = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 0xffff_ffff }),
  fc.constantFrom(0x8000_0000, 0xffff_ffff, 256),
);

test('the table holds what a map would, whatever is added and deleted', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), spi), { maxLength: 400 }), (steps) => {
      const table = new SpiTable<string>();
      const model = new Map<number, string>();
      for (const [i, [adding, key]] of steps.entries()) {
        if (!adding) assert.equal(table.delete(key), model.delete(key));
        else if (!model.has(key)) {
          table.add(key, `value ${i}`);
          model.set(key, `value ${i}`);
        }
        assert.equal(table.size, model.size);
        assert.equal(table.get(key), model.get(key));
      }
      for (const [key, value] of model) assert.equal(table.get(key), value);
      assert.deepEqual([...table.values()].toSorted(), [...model.values()].toSorted());
    }),
  );
});

test('a table that grew and became empty again finds nothing', () => {
  const table = new SpiTable<number>();
  for (let i = 1; i <= 10_000; i++) table.add(i * 0x1_0001, i);
  for (let i = 1; i <= 10_000; i++) assert.equal(table.get(i * 0x1_0001), i);
  for (let i = 1; i <= 10_000; i++) assert.equal(table.delete(i * 0x1_0001), true);
  assert.equal(table.size, 0);
  for (let i = 1; i <= 10_000; i++) assert.equal(table.get(i * 0x1_0001), undefined);
});
