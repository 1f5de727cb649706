// The index against what a look at every SA would find.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SaName, Spi } from '#sa';
import { SaIndex } from './sa-index.ts';

const naming: fc.Arbitrary<SaName> = fc.record({
  protocol: fc.constantFrom('esp' as const, 'ah' as const),
  direction: fc.constantFrom('inbound' as const, 'outbound' as const),
  spi: fc.integer({ min: 256, max: 259 }).map((spi) => spi as Spi),
  childId: fc.integer({ min: 1, max: 3 }),
});

const isNamed = (sa: SaName, { protocol, direction, spi, childId }: SaName): boolean =>
  sa.protocol === protocol && sa.direction === direction && sa.spi === spi && sa.childId === childId;

test('given any SAs installed and removed, each is found by its name, in the order of installation', () => {
  const step = fc.record({ kind: fc.constantFrom('install', 'remove'), name: naming });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const index = new SaIndex<SaName>();
      let all: SaName[] = [];
      for (const { kind, name } of steps) {
        const known = all.find((sa) => isNamed(sa, name));
        assert.equal(index.find(name), known);
        if (kind === 'remove') {
          assert.equal(index.remove(name), known);
          all = all.filter((sa) => sa !== known);
        } else if (known === undefined) {
          const sa = { ...name };
          index.add(sa);
          all.push(sa);
        }
        assert.deepEqual([...index.values()], all);
        assert.equal(index.size, all.length);
        for (const childId of [1, 2, 3]) {
          const pair = all.filter((sa) => sa.childId === childId);
          assert.deepEqual(index.pair(childId), pair);
          assert.equal(index.hasPair(childId), pair.length > 0);
        }
      }
    }),
  );
});

test('one of 1,000 SAs is found and removed without a look at the others', () => {
  let looks = 0;
  const index = new SaIndex<SaName>();
  const sas = Array.from({ length: 1_000 }, (_, childId): SaName => {
    const spi = (1_000 + childId) as Spi;
    return {
      ...{ protocol: 'esp', direction: 'outbound', childId },
      get spi() {
        looks++;
        return spi;
      },
    };
  });
  for (const sa of sas) index.add(sa);
  looks = 0;
  const name: SaName = { protocol: 'esp', direction: 'outbound', spi: 1_500 as Spi, childId: 500 };
  assert.equal(index.find(name), sas[500]);
  assert.equal(index.remove(name), sas[500]);
  assert.ok(looks < 10, `${looks} looks`);
});
