import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, type IpAddress, parsePrefix } from '#sa';
import { AddressPools } from './address-pools.ts';

const any4 = address('0.0.0.0');
const any6 = address('::');

function pools(prefix: string, name = 'rw'): AddressPools {
  const result = new AddressPools();
  result.configure([
    { name, addresses: parsePrefix(prefix)!, dns: [address('10.3.0.1')], nbns: [], subnets: [] },
  ]);
  return result;
}

// RFC 7296 3.15
test('addresses are given in order, without the network and the broadcast address, until none is left', () => {
  const four = pools('10.3.0.0/30');
  assert.deepEqual(four.lease(['rw'], 'a', [any4])?.addresses, ['10.3.0.1']);
  assert.deepEqual(four.lease(['rw'], 'b', [any4])?.addresses, ['10.3.0.2']);
  assert.equal(four.lease(['rw'], 'c', [any4]), undefined);
});

test('a peer that comes back gets its address again, and an old lease is reused when all others are taken', () => {
  const four = pools('10.3.0.0/30');
  four.lease(['rw'], 'a', [any4]);
  four.release([address('10.3.0.1')]);
  assert.deepEqual(four.lease(['rw'], 'b', [any4])?.addresses, ['10.3.0.2']);
  assert.deepEqual(four.lease(['rw'], 'a', [any4])?.addresses, ['10.3.0.1']);
  four.release([address('10.3.0.1')]);
  assert.deepEqual(four.lease(['rw'], 'c', [any4])?.addresses, ['10.3.0.1']);
});

test('where there is no room a peer that asks hundreds of times makes us look once', (t) => {
  const four = pools('10.3.0.0/30');
  for (const owner of ['a', 'b']) four.lease(['rw'], owner, [any4]);
  // Addresses that are kept for others are looked through for each try.
  const looks = t.mock.method(Map.prototype, 'values').mock;
  assert.equal(four.lease(['rw'], 'c', new Array<IpAddress>(512).fill(any4)), undefined);
  assert.ok(looks.callCount() <= 1, `${looks.callCount()} looks`);
});

test('a wanted address is given if it is free and nobody else had it', () => {
  const four = pools('10.3.0.0/24');
  assert.deepEqual(four.lease(['rw'], 'a', [address('10.3.0.77')])?.addresses, ['10.3.0.77']);
  assert.deepEqual(four.lease(['rw'], 'b', [address('10.3.0.77')])?.addresses, ['10.3.0.1']);
  assert.deepEqual(four.lease(['rw'], 'c', [address('192.0.2.1')])?.addresses, ['10.3.0.2']);
});

test('a peer that lost two addresses at once leaves none of them behind', () => {
  const four = pools('10.3.0.0/30');
  for (let i = 0; i < 2; i++) four.lease(['rw'], 'a', [any4]);
  four.release([address('10.3.0.1')]);
  four.release([address('10.3.0.2')]);
  assert.deepEqual(four.lease(['rw'], 'b', [any4])?.addresses, ['10.3.0.1']);
  assert.deepEqual(four.lease(['rw'], 'c', [any4])?.addresses, ['10.3.0.2']);
  assert.equal(four.lease(['rw'], 'd', [any4]), undefined);
});

test('however many leases come and go, in whatever order, no address is lost or given twice', () => {
  const owner = fc.constantFrom('a', 'b', 'c');
  const wanted = fc.constantFrom(any4, ...[1, 2, 3, 4, 5, 6].map((last) => address(`10.3.0.${last}`)));
  const step = fc.record({ owner, wanted, release: fc.option(fc.nat(5)) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const six = pools('10.3.0.0/29');
      const held: IpAddress[] = [];
      for (const { owner, wanted, release } of steps) {
        if (release !== null) six.release(held.splice(release, 1));
        const [given] = six.lease(['rw'], owner, [wanted])?.addresses ?? [];
        assert.equal(given === undefined, held.length === 6);
        if (given === undefined) continue;
        assert.ok(!held.includes(given));
        held.push(given);
      }
      six.release(held);
      assert.equal(
        Array.from({ length: 6 }, (_, i) => six.lease(['rw'], `z${i}`, [any4])).every(Boolean),
        true,
      );
    }),
  );
});

// RFC 7296 3.15.1: the responder may give fewer than were asked for.
test('one peer that asks for many addresses gets one of each family', () => {
  const four = pools('10.3.0.0/24');
  const many = Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? any4 : address(`10.3.0.${i % 250}`)));
  assert.deepEqual(four.lease(['rw'], 'a', many)?.addresses, ['10.3.0.1']);
  assert.equal(four.status()[0]?.online, 1);
});

test('both families are served from their pools, with the DNS servers of all of them', () => {
  const both = new AddressPools();
  both.configure([
    { name: 'v4', addresses: parsePrefix('10.3.0.0/24')!, dns: [address('10.3.0.1')], nbns: [], subnets: [] },
    { name: 'v6', addresses: parsePrefix('fd00::/120')!, dns: [address('fd00::1')], nbns: [], subnets: [] },
  ]);
  const lease = both.lease(['v4', 'v6'], 'a', [any4, any6]);
  assert.deepEqual(lease?.addresses, ['10.3.0.1', 'fd00::1']);
  assert.deepEqual(lease?.dns, ['10.3.0.1', 'fd00::1']);
  assert.deepEqual(
    both.status().map(({ name, online }) => [name, online]),
    [
      ['v4', 1],
      ['v6', 1],
    ],
  );
});

test('given a reload, an unchanged pool keeps its leases', () => {
  const four = pools('10.3.0.0/30');
  four.lease(['rw'], 'a', [any4]);
  four.configure([
    { name: 'rw', addresses: parsePrefix('10.3.0.0/30')!, dns: [address('10.3.0.1')], nbns: [], subnets: [] },
  ]);
  assert.deepEqual(four.lease(['rw'], 'b', [any4])?.addresses, ['10.3.0.2' as IpAddress]);
});

test('given a reload that changes a pool, or takes it away for a while, nobody gets an address that is in use', () => {
  const four = pools('10.3.0.0/29');
  four.lease(['rw'], 'a', [any4]);
  four.lease(['rw'], 'b', [any4]);
  four.release([address('10.3.0.2')]);
  const changed = { name: 'rw', addresses: parsePrefix('10.3.0.0/24')!, dns: [], nbns: [], subnets: [] };
  four.configure([changed]);
  assert.deepEqual(four.lease(['rw'], 'c', [address('10.3.0.1')])?.addresses, ['10.3.0.3']);
  assert.deepEqual(four.lease(['rw'], 'b', [any4])?.addresses, ['10.3.0.2'], 'it comes back');
  four.configure([]);
  four.configure([{ ...changed, name: 'other' }]);
  assert.deepEqual(four.lease(['other'], 'd', [any4])?.addresses, ['10.3.0.4']);
  four.release([address('10.3.0.1')]);
  assert.deepEqual(
    four.lease(['other'], 'e', [address('10.3.0.1')])?.addresses,
    ['10.3.0.5'],
    'kept for its peer',
  );
  assert.deepEqual(four.lease(['other'], 'a', [any4])?.addresses, ['10.3.0.1']);
  assert.equal(four.status()[0]?.online, 5);
});
