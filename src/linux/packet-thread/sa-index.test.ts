// The index against what a look at every SA would find.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, type IpAddress, type Spi } from '#sa';
import { SaIndex } from './sa-index.ts';

const remotes = ['192.0.2.1', '192.0.2.2', '2001:db8::1'].map(address);
const naming = fc.record({
  protocol: fc.constantFrom('esp' as const, 'ah' as const),
  direction: fc.constantFrom('inbound' as const, 'outbound' as const),
  spi: fc.integer({ min: 256, max: 259 }).map((spi) => spi as Spi),
  childId: fc.integer({ min: 1, max: 3 }),
  remote: fc.constantFrom(...remotes),
});
type Sa = typeof naming extends fc.Arbitrary<infer T> ? { -readonly [K in keyof T]: T[K] } : never;
type Name = Omit<Sa, 'childId'>;

const isNamed = (sa: Sa, { protocol, direction, spi, remote }: Name): boolean =>
  sa.protocol === protocol &&
  sa.direction === direction &&
  sa.spi === spi &&
  (direction === 'inbound' || sa.remote === remote);

const isOfPair = (sa: Sa, { protocol, direction, spi, childId }: Omit<Sa, 'remote'>): boolean =>
  sa.protocol === protocol && sa.direction === direction && sa.spi === spi && sa.childId === childId;

test('given any SAs installed, moved and removed, each is found by its names, in the order of installation', () => {
  const step = fc.record({ kind: fc.constantFrom('install', 'move', 'remove'), sa: naming });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const index = new SaIndex<Sa>();
      let all: Sa[] = [];
      const taken = (name: Name, but?: Sa): boolean => all.some((sa) => sa !== but && isNamed(sa, name));
      for (const { kind, sa: one } of steps) {
        if (kind === 'install') {
          if (taken(one)) continue;
          const sa = { ...one };
          index.add(sa);
          all.push(sa);
        } else if (kind === 'move') {
          const sa = all.find((each) => isOfPair(each, one));
          assert.equal(index.ofPair(one), sa);
          const remote: IpAddress = one.remote;
          if (sa !== undefined && !taken({ ...sa, remote }, sa)) index.move(sa, remote);
        } else {
          const sa = all.find((each) => isNamed(each, one));
          assert.equal(index.named(one), sa);
          assert.equal(index.remove({ kind: 'remove', ...one }), sa);
          all = all.filter((each) => each !== sa);
        }
        assert.deepEqual([...index.values()], all);
        assert.equal(index.size, all.length);
        for (const childId of [1, 2, 3])
          assert.equal(
            index.hasPair(childId),
            all.some((sa) => sa.childId === childId),
          );
        for (const sa of all) assert.equal(index.named(sa), sa);
      }
    }),
  );
});

test('one of 1,000 SAs is moved and removed without a look at the others', () => {
  let looks = 0;
  const index = new SaIndex<Sa>();
  const sas = Array.from({ length: 1_000 }, (_, i): Sa => {
    const spi = (1_000 + i) as Spi;
    const names = { protocol: 'esp', direction: 'outbound', childId: i, remote: remotes[0]! } as const;
    return {
      ...names,
      get spi() {
        looks++;
        return spi;
      },
    };
  });
  for (const sa of sas) index.add(sa);
  looks = 0;
  const name = { protocol: 'esp', direction: 'outbound', spi: 1_500 as Spi, childId: 500 } as const;
  const sa = index.ofPair(name);
  assert.equal(sa, sas[500]);
  index.move(sa!, remotes[1]!);
  assert.equal(index.remove({ kind: 'remove', ...name, remote: remotes[1]! }), sa);
  assert.ok(looks < 10, `${looks} looks`);
});
