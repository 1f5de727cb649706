// npm run fuzz -- TARGET|all [--seconds N] [--seed S] [--keep K]
// Prints what was found, saves each offending input under test-output/fuzz/TARGET/, exits 1 if there is any.
// With --keep also saves K inputs that behaved in ways of their own, as candidates for the corpus, as kept-*.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findingsFolder, inputsOf } from './corpus.ts';
import { fuzz } from './loop.ts';
import { targets } from './targets.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '30' },
    seed: { type: 'string' },
    keep: { type: 'string', default: '0' },
  },
});
const wanted = positionals[0];
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Date.now() >>> 0 : Number(values.seed);
const chosen = targets.filter(({ name }) => wanted === 'all' || wanted === name);
if (chosen.length === 0 || !(seconds > 0) || !Number.isInteger(seed)) {
  console.error('usage: npm run fuzz -- TARGET|all [--seconds N] [--seed S] [--keep K]');
  console.error(`targets: ${targets.map(({ name }) => name).join(' ')}`);
  process.exit(2);
}

function save(target: string, prefix: string, octets: Uint8Array): string {
  const folder = join(findingsFolder, target);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, prefix + createHash('sha256').update(octets).digest('hex').slice(0, 16));
  writeFileSync(file, octets);
  return file;
}

let found = 0;
for (const target of chosen) {
  const end = performance.now() + seconds * 1000;
  const corpus = inputsOf(target).map(({ octets }) => octets);
  const report = fuzz(target, corpus, seed, () => performance.now() < end);
  const { executions, behaviors, findings } = report;
  console.log(
    `${target.name}: seed ${seed}, ${executions} executions, ${behaviors} behaviors, ${findings.length} findings`,
  );
  for (const { octets, reason } of findings) {
    const file = save(target.name, '', octets);
    console.log(`  ${file}\n    ${reason.replaceAll('\n', '\n    ')}`);
  }
  // The richest behaviors have the longest stories.
  const kept = [...report.firsts].sort(([one], [other]) => other.length - one.length);
  for (const [, octets] of kept.slice(0, Number(values.keep))) save(target.name, 'kept-', octets);
  found += findings.length;
}
process.exit(found === 0 ? 0 : 1);
