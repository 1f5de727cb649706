import assert from 'node:assert/strict';
import { test } from 'node:test';
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

test('a wanted address is given if it is free and nobody else had it', () => {
  const four = pools('10.3.0.0/24');
  assert.deepEqual(four.lease(['rw'], 'a', [address('10.3.0.77')])?.addresses, ['10.3.0.77']);
  assert.deepEqual(four.lease(['rw'], 'b', [address('10.3.0.77')])?.addresses, ['10.3.0.1']);
  assert.deepEqual(four.lease(['rw'], 'c', [address('192.0.2.1')])?.addresses, ['10.3.0.2']);
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
