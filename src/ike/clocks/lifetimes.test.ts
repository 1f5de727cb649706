// Given configured times and a seed: when SAs are rekeyed, when they end, and how long an exchange may take.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Randomness, seededRandomness } from '#crypto';
import type { LifetimeConfiguration } from '../configuration.ts';
import { childLifetimes, ikeLifetimes, randomUpTo } from './lifetimes.ts';
import { retransmitBudgetMs, retransmitDelayMs } from './retransmission.ts';

const seeded = (seed: number): Randomness => seededRandomness(Uint8Array.of(seed, seed >>> 8));
/** Randomness that is as small or as large as it can be. */
const constant = (octet: number): Randomness => ({
  ...seeded(0),
  bytes: (count) => new Uint8Array(count).fill(octet),
});

const unlimited: LifetimeConfiguration = { jitterTimeMs: 0, jitterBytes: 0, jitterPackets: 0 };

describe('a random number', () => {
  it('reaches both ends and nothing beyond, also above 32 bits', () => {
    for (const max of [0, 1, 255, 2 ** 40]) {
      assert.equal(randomUpTo(max, constant(0)), 0);
      assert.equal(randomUpTo(max, constant(255)), max);
    }
    assert.equal(randomUpTo(-5, constant(255)), 0);
  });

  it('is spread evenly', () => {
    const randomness = seeded(7);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 4000; i++) counts[randomUpTo(3, randomness)]! += 1;
    // Four standard deviations of a fair die.
    assert.ok(
      counts.every((count) => Math.abs(count - 1000) < 110),
      counts.join(),
    );
  });
});

describe('the lifetimes of a Child SA', () => {
  it('are unlimited where nothing or 0 is configured', () => {
    const endless = { rekeyAfterMs: undefined, endAfterMs: undefined, sa: {} };
    assert.deepEqual(childLifetimes(unlimited, seeded(1)), endless);
    const zero = {
      ...unlimited,
      rekeyTimeMs: 0,
      lifeTimeMs: 0,
      rekeyBytes: 0,
      lifePackets: 0,
      jitterTimeMs: 9,
    };
    assert.deepEqual(childLifetimes(zero, seeded(1)), endless);
  });

  it('are rekeyed within the jitter before the configured time, and end on it', () => {
    const configured = {
      rekeyTimeMs: 3_600_000,
      lifeTimeMs: 3_960_000,
      jitterTimeMs: 360_000,
      rekeyBytes: 1e12,
      lifeBytes: 1.1e12,
      jitterBytes: 1e11,
      rekeyPackets: 1000,
      lifePackets: 1100,
      jitterPackets: 100,
    };
    const least = childLifetimes(configured, constant(255));
    const most = childLifetimes(configured, constant(0));
    assert.deepEqual([least.rekeyAfterMs, most.rekeyAfterMs], [3_240_000, 3_600_000]);
    assert.deepEqual(most.sa, {
      softBytes: 1e12,
      hardBytes: 1.1e12,
      softPackets: 1000,
      hardPackets: 1100,
      hardTimeMs: 3_960_000,
    });
    assert.deepEqual([least.sa.softBytes, least.sa.softPackets], [9e11, 900]);
    assert.equal(least.endAfterMs, 3_960_000);
  });

  it('never begin with rekeying, however large the jitter', () => {
    const configured = { ...unlimited, rekeyTimeMs: 100, jitterTimeMs: 1_000_000 };
    assert.equal(childLifetimes(configured, constant(255)).rekeyAfterMs, 1);
  });

  it('differ between two hosts and not between two runs of one seed', () => {
    const configured = { ...unlimited, rekeyTimeMs: 3_600_000, jitterTimeMs: 360_000 };
    const one = childLifetimes(configured, seeded(1));
    assert.deepEqual(childLifetimes(configured, seeded(1)), one);
    assert.notDeepEqual(childLifetimes(configured, seeded(2)), one);
  });
});

describe('the lifetimes of an IKE SA', () => {
  it('end some time after the earlier of rekeying and reauthentication', () => {
    const configured = { rekeyTimeMs: 4000, reauthTimeMs: 3000, overTimeMs: 400, jitterTimeMs: 100 };
    assert.deepEqual(ikeLifetimes(configured, constant(255)), {
      rekeyAfterMs: 3900,
      reauthAfterMs: 2900,
      endAfterMs: 3400,
    });
  });

  it('have no end without either', () => {
    const configured = { rekeyTimeMs: 0, reauthTimeMs: 0, overTimeMs: 400, jitterTimeMs: 100 };
    assert.deepEqual(ikeLifetimes(configured, seeded(1)), {
      rekeyAfterMs: undefined,
      reauthAfterMs: undefined,
      endAfterMs: undefined,
    });
  });
});

describe('retransmission', () => {
  const usual = { baseMs: 4000, factor: 1.8, tries: 5, jitter: 0 };

  // RFC 7296 2.1, 2.4
  it('backs off exponentially, waits once more after the last try, then gives up', () => {
    const delays = Array.from({ length: 7 }, (_, attempt) => retransmitDelayMs(usual, attempt, seeded(1)));
    assert.deepEqual(delays, [4000, 7200, 12_960, 23_328, 41_990, 75_583, undefined]);
    assert.equal(retransmitBudgetMs(usual), 165_061);
  });

  it('is capped by its limit', () => {
    const capped = { ...usual, limitMs: 10_000 };
    assert.equal(retransmitDelayMs(capped, 5, seeded(1)), 10_000);
    assert.equal(retransmitBudgetMs(capped), 4000 + 7200 + 4 * 10_000);
  });

  it('takes off no more than the jitter, and never exceeds its budget', () => {
    const configurations = fc.record({
      baseMs: fc.integer({ min: 1, max: 10_000 }),
      factor: fc.double({ min: 1, max: 3, noNaN: true }),
      tries: fc.nat(8),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(configurations, fc.nat(65_535), (configuration, seed) => {
        const randomness = seeded(seed);
        let total = 0;
        for (let attempt = 0; ; attempt++) {
          const delay = retransmitDelayMs(configuration, attempt, randomness);
          if (delay === undefined) break;
          const full = configuration.baseMs * configuration.factor ** attempt;
          assert.ok(Number.isInteger(delay) && delay >= 1);
          assert.ok(delay >= full * (1 - configuration.jitter) - 1 && delay <= full + 1);
          total += delay;
        }
        assert.ok(total <= retransmitBudgetMs(configuration));
      }),
    );
  });
});
