// The fuzzer itself: it finds planted faults, and the same seed does the same.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fuzz, slowMs } from './loop.ts';
import type { FuzzTarget } from './target.ts';

const corpus = [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)];

function target(run: (octets: Uint8Array) => void): FuzzTarget {
  return { name: 'planted', run, refuses: (error) => error instanceof RangeError };
}

describe('the fuzzing loop', () => {
  test('finds an input that throws something other than the typed error', () => {
    const planted = target((octets) => {
      if (octets.length < 4) throw new RangeError('short');
      if (octets[0] === 0xff) throw new TypeError('planted');
    });
    const { findings } = fuzz(planted, corpus, 1, (executions) => executions < 5000);
    assert.equal(findings.length, 1);
    assert.equal(findings[0]?.octets[0], 0xff);
    assert.match(findings[0]?.reason ?? '', /planted/);
  });

  test('finds an input that takes too long', () => {
    const planted = target((octets) => {
      const start = process.cpuUsage();
      const wantedMs = octets.length === 3 ? slowMs + 20 : 0;
      while (process.cpuUsage(start).user < wantedMs * 1000);
    });
    let slow = 0;
    const { findings } = fuzz(planted, [new Uint8Array(3)], 1, () => slow++ < 1);
    assert.match(findings[0]?.reason ?? '', /^took \d+ ms$/);
  });

  test('typed refusals are no findings, and each is a behavior of its own', () => {
    const planted = target((octets) => {
      if (octets.length < 4) throw new RangeError('short');
      if (octets.length > 8) throw new RangeError('long');
    });
    const report = fuzz(planted, corpus, 1, (executions) => executions < 2000);
    assert.deepEqual([report.behaviors, report.findings.length, report.executions], [3, 0, 2000]);
  });

  test('the same seed tries the same inputs, another seed does not', () => {
    const inputs = (seed: number): string[] => {
      const tried: string[] = [];
      const planted = target((octets) => {
        tried.push(octets.join(' '));
      });
      fuzz(planted, corpus, seed, (executions) => executions < 200);
      return tried;
    };
    assert.deepEqual(inputs(7), inputs(7));
    assert.notDeepEqual(inputs(7), inputs(8));
  });
});
