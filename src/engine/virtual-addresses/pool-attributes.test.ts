import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, parsePrefix } from '#sa';
import { poolAttributes } from './pool-attributes.ts';

test('name servers of NetBIOS and subnets are attributes as RFC 7296 3.15.1 lays them out', () => {
  const subnets = ['10.1.2.3/20', '0.0.0.0/0', 'fd00:1::/64'].map((text) => parsePrefix(text)!);
  const six = [0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  assert.deepEqual(poolAttributes({ nbns: [address('10.2.0.9')], subnets }), [
    { type: 4, value: Uint8Array.of(10, 2, 0, 9) },
    { type: 13, value: Uint8Array.of(10, 1, 0, 0, 255, 255, 240, 0) },
    { type: 13, value: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0) },
    { type: 15, value: Uint8Array.of(...six, 64) },
  ]);
});
