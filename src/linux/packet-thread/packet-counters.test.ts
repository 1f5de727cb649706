import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PacketCounter, PacketCounters } from './packet-counters.ts';

test('their sum moves with each of them, and all of them have names', () => {
  const counts = [0, 7, 0];
  const counters = new PacketCounters(
    counts.map((_, i): PacketCounter => [`kind-${i}`, () => counts[i]!] as const),
  );
  const sums = [counters.sum];
  for (const i of counts.keys()) {
    counts[i]!++;
    sums.push(counters.sum);
  }
  assert.deepEqual(sums, [7, 8, 9, 10]);
  assert.deepEqual(counters.byName(), { 'kind-0': 1, 'kind-1': 8, 'kind-2': 1 });
});
