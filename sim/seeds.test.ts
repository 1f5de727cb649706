// Thousands of seeds: real handshakes and traffic under faults, every invariant checked after every step.
import assert from 'node:assert/strict';
import { constants, setPriority } from 'node:os';
import { test } from 'node:test';
import { runChaos } from '#lab';
import { labCertificates } from './certificates.ts';
import { runPool } from './pool.ts';
import { neverMet, summaryText } from './summary.ts';

const seedCounts = { ike: 3_000, hip: 400 } as const;

// Tests beside this one have peers that expect answers in time; here time is virtual. Threads inherit it.
setPriority(constants.priority.PRIORITY_LOW);

for (const keying of ['ike', 'hip'] as const) {
  const count = seedCounts[keying];
  test(`${count} seeds of ${keying} break no invariant, and together meet every fault and every turn`, async () => {
    const startedAt = performance.now();
    const summary = await runPool(keying, 1, count);
    const text = summaryText(summary, (performance.now() - startedAt) / 1000);
    console.log(text);
    assert.equal(summary.failures.length, 0, text);
    assert.equal(summary.seeds, count);
    assert.deepEqual(summary.idle, [], 'every seed has a handshake, traffic, a rekeying and two faults');
    assert.deepEqual(neverMet(summary), [], 'never met');
  });
}

test('the same seed twice does the same, octet for octet', async () => {
  for (const seed of [3, 14, 159]) {
    const once = await runChaos(seed, { certificates: labCertificates });
    const again = await runChaos(seed, { certificates: labCertificates });
    assert.equal(once.fingerprint, again.fingerprint, `seed ${seed}`);
    assert.deepEqual(once, again);
  }
  const one = await runChaos(1);
  const other = await runChaos(2);
  assert.notEqual(one.fingerprint, other.fingerprint);
});
