// npm run sim -- [--seed N | --seeds A..B] [--hip] [--verbose] [--packets]
// Replays one seed with its story, or runs many and tells what they met; exits 1 if an invariant broke.
import { parseArgs } from 'node:util';
import { Journal } from '#lab';
import { runPool } from './pool.ts';
import { runSeeds } from './run-seeds.ts';
import { summaryText } from './summary.ts';

function usage(): never {
  console.error('usage: npm run sim -- [--seed N | --seeds A..B] [--hip] [--verbose] [--packets]');
  process.exit(2);
}

function options(): { seed?: string; seeds?: string; hip: boolean; verbose: boolean; packets: boolean } {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string' },
        seeds: { type: 'string' },
        hip: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        packets: { type: 'boolean', default: false },
      },
    }).values as ReturnType<typeof options>;
  } catch {
    return usage();
  }
}

const { seed, seeds = '1..200', hip, verbose, packets } = options();
const keying = hip ? 'hip' : 'ike';
const range = /^(\d+)\.\.(\d+)$/.exec(seed === undefined ? seeds : `${seed}..${seed}`);
if (range === null) usage();
const [from, to] = [Number(range[1]), Number(range[2])];
if (from > to) usage();

const startedAt = performance.now();
const journal = new Journal({ packets, line: (line) => console.log(line) });
const summary =
  from === to
    ? await runSeeds(keying, from, to, verbose || packets ? { observers: [journal] } : {})
    : await runPool(keying, from, to);
console.log(summaryText(summary, (performance.now() - startedAt) / 1000));
process.exit(summary.failures.length === 0 ? 0 : 1);
