import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReplayWindow } from './replay-window.ts';

const two32 = 1n << 32n;

/** The window as a set of 64-bit numbers, without any cleverness. */
class NaiveWindow {
  readonly #accepted = new Set<bigint>([0n]);
  readonly #size: bigint;
  top = 0n;

  constructor(size: number) {
    this.#size = BigInt(size);
  }

  check(sequence: bigint): 'new' | 'seen' | 'left-of-window' {
    if (sequence <= this.top - this.#size) return 'left-of-window';
    return this.#accepted.has(sequence) ? 'seen' : 'new';
  }

  accept(sequence: bigint): void {
    this.#accepted.add(sequence);
    if (sequence > this.top) this.top = sequence;
  }

  /** The number with this low word that lies in the window, or else the next one ahead of it. */
  infer(low: bigint): bigint {
    const bottom = this.top - this.#size + 1n;
    for (let high = (this.top >> 32n) - 1n; ; high++) {
      const candidate = high * two32 + low;
      if (candidate >= bottom) return candidate;
    }
  }
}

const sizes = fc.constantFrom(32, 64, 128, 160, 1024, 4096);

/** Steps relative to the highest number so far: window edges, gaps of a word, and far jumps. */
function steps(size: number): fc.Arbitrary<bigint> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.bigInt({ min: BigInt(-size - 3), max: 70n }) },
    { weight: 1, arbitrary: fc.constantFrom(BigInt(-size), BigInt(1 - size), BigInt(-size - 1), 0n, 1n) },
    { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: BigInt(3 * size) }) },
    { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: (1n << 31n) - 4097n }) },
  );
}

// RFC 4303 A
test('with ESN, the window agrees with a set of 64-bit numbers around every wrap of the low word', () => {
  const starts = fc.constantFrom(1n, 40n, two32 - 5000n, two32 - 2n, 5n * two32 - 33n, (1n << 63n) - 100n);
  fc.assert(
    fc.property(
      sizes.chain((size) =>
        fc.tuple(fc.constant(size), starts, fc.array(steps(size), { minLength: 1, maxLength: 120 })),
      ),
      ([size, start, deltas]) => {
        const window = new ReplayWindow(size, true);
        const naive = new NaiveWindow(size);
        const startHigh = Number(start >> 32n);
        const startLow = Number(start & 0xffff_ffffn);
        window.accept(startHigh, startLow);
        naive.accept(start);
        for (const delta of deltas) {
          const sequence = naive.top + delta;
          if (sequence < 0n) continue;
          const low = Number(sequence & 0xffff_ffffn);
          const high = window.inferHigh(low);
          const inferred = naive.infer(BigInt(low));
          assert.equal(BigInt(high) * two32 + BigInt(low), inferred);
          const expected = inferred < 0n ? 'left-of-window' : naive.check(inferred);
          assert.equal(window.check(high, low), expected);
          if (expected !== 'new') continue;
          const newest = inferred > naive.top;
          naive.accept(inferred);
          assert.equal(window.accept(high, low), newest);
          assert.equal(BigInt(window.top.high) * two32 + BigInt(window.top.low), naive.top);
        }
      },
    ),
    { numRuns: 400 },
  );
});

// RFC 4303 3.4.3
test('without ESN, the window agrees with a set of numbers up to the last one', () => {
  fc.assert(
    fc.property(
      sizes.chain((size) =>
        fc.tuple(
          fc.constant(size),
          fc.constantFrom(1n, 31n, 32n, 4096n, two32 - 200n),
          fc.array(steps(size), { minLength: 1, maxLength: 120 }),
        ),
      ),
      ([size, start, deltas]) => {
        const window = new ReplayWindow(size, false);
        const naive = new NaiveWindow(size);
        window.accept(0, Number(start));
        naive.accept(start);
        for (const delta of deltas) {
          const sequence = naive.top + delta;
          if (sequence < 0n || sequence >= two32) continue;
          const low = Number(sequence);
          const expected = naive.check(sequence);
          assert.equal(window.inferHigh(low), 0);
          assert.equal(window.check(0, low), expected);
          if (expected !== 'new') continue;
          naive.accept(sequence);
          window.accept(0, low);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('given a fresh window, number 0 is refused and number 1 is new', () => {
  for (const esn of [false, true]) {
    const window = new ReplayWindow(64, esn);
    assert.equal(window.check(window.inferHigh(0), 0), 'seen');
    assert.equal(window.check(window.inferHigh(1), 1), 'new');
  }
});

test('given a fresh ESN window, low words just below 2^32 belong to no pass and are refused', () => {
  const window = new ReplayWindow(64, true);
  assert.equal(window.inferHigh(0xffff_ffff), -1);
  assert.equal(window.check(-1, 0xffff_ffff), 'left-of-window');
});

test('without ESN, the number after 2^32 - 1 is not mistaken for a new one', () => {
  const window = new ReplayWindow(64, false);
  window.accept(0, 0xffff_ffff);
  assert.equal(window.check(window.inferHigh(5), 5), 'left-of-window');
  assert.equal(window.check(window.inferHigh(0xffff_ffff), 0xffff_ffff), 'seen');
});

test('with ESN, the last number of all is followed by none', () => {
  const window = new ReplayWindow(64, true);
  window.accept(0xffff_ffff, 0xffff_ffff);
  assert.equal(window.check(window.inferHigh(5), 5), 'left-of-window');
});

test('checking a number does not change the window', () => {
  const window = new ReplayWindow(64, true);
  window.accept(0, 100);
  assert.equal(window.check(window.inferHigh(4_000_000), 4_000_000), 'new');
  assert.deepEqual(window.top, { high: 0, low: 100 });
  assert.equal(window.check(0, 99), 'new');
  assert.equal(window.check(0, 99), 'new');
});

test('given an SA taken over from an earlier run, nothing up to its last number is new', () => {
  const window = new ReplayWindow(64, true, { high: 3, low: 20 });
  for (const low of [20, 1, 0, 0xffff_fff0]) assert.notEqual(window.check(window.inferHigh(low), low), 'new');
  assert.equal(window.inferHigh(21), 3);
  assert.equal(window.check(3, 21), 'new');
  window.accept(3, 30);
  assert.equal(window.check(3, 25), 'new');
  assert.equal(window.check(3, 20), 'seen');
});

test('a window of 0 packets accepts repetitions and still knows the newest packet', () => {
  const window = new ReplayWindow(0, false);
  assert.equal(window.accept(0, 7), true);
  assert.equal(window.check(0, 7), 'new');
  assert.equal(window.accept(0, 7), false);
  assert.equal(window.accept(0, 3), false);
});

test('without a window, ESN takes the high word that is nearest to the newest packet', () => {
  const window = new ReplayWindow(0, true);
  window.accept(0, 0xffff_fff0);
  assert.equal(window.inferHigh(0xffff_fff5), 0);
  assert.equal(window.inferHigh(3), 1);
  window.accept(1, 3);
  assert.equal(window.inferHigh(0xffff_fff5), 0);
  assert.equal(window.inferHigh(4), 1);
});

test('a size is rounded up to 32 packets, and refused beyond 4096', () => {
  assert.equal(new ReplayWindow(33, false).sizePackets, 64);
  assert.throws(() => new ReplayWindow(4097, false), RangeError);
  assert.throws(() => new ReplayWindow(-1, false), RangeError);
});
